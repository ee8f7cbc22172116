"""Options of the commands that judge noise and weights; each docstring is its help."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from noisegen.cli.options import (
    DataFolder,
    Device,
    Overwrite,
    RefCleans,
    Refs,
    Threads,
    Weights,
)
from noisegen.dataset.plan import WhiteLevel

DATA = Path("../shared/data")


@dataclass(frozen=True)
class Evaluate:
    """Compare generated with real noise: --synth with --real, or on the validation splits.

    With --real and --synth: where both show the same pictures (pairs of one relative path, endings
    aside, with equal cleans), they are compared picture by picture and all together; else all
    together only, and what differs between the pictures counts too. By channel and by intensity as
    well. Real pairs are taken as they are: a shift or a drift in brightness between noisy and clean
    counts as noise. References of the real camera (--ref or --profile) add the baselines, made on
    the real pairs' cleans: Gaussian noise of the reference's σ, noisegen (what users get), and the
    floor, two draws of the weights' own noise.

    Noise is noisy − clean, from the files' integers, over the white level (255; of 16 bits found
    from the data), so in [−1, 1]. The files' noise is clipped and quantised, and so is the
    baselines'. 0 is perfect unless said otherwise.

    On a split, lines stand beside each other: Gaussian noise of the reference's σ; classical, a
    plain model of the reference's mean, level, spectrum and quantiles; noisegen, what users get;
    start, the measured model alone, the content network off; and the floor, two draws of one
    process. --by lone gives every split one shot without its clean as reference. nam25, s95 and
    micro are never trained or tuned on.

    --peers adds what else could be used, fitted to the same references: poisson-gaussian, variance
    as a line over intensity, by channel; iso-noise, albumentations' ISONoise by its two parameters;
    av1-grain, AV1's film grain (autoregression of lag 3 and piecewise-linear scaling, by our own
    fit); resampled, 16×16 patches of the reference's own residual where its clean is most alike;
    drawn, a drawn camera for each target, which knows no reference.

    fit s: mean seconds to fit a row to a case's references. Of gaussian and noisegen it is their
    profile's, from the shots on; the others' begins with the shots cut, and a lone one's clean
    estimated. Mpx/s: megapixels of noise a second, on this machine.

    --split instruments needs no data: simulated instruments whose noise is known, each by pair, by
    burst of four and by a lone shot, beside the plain classical model of the pair. It prints σ and
    mean against the truth by tenths of the intensities that the reference shows, KLD, AKLD and
    correlation error with their floors, stripes, values that the instrument cannot give, and which
    targets are missed; --json has every tenth.

    Of each picture, as mean (median):

    kld: KL divergence of the noise's histograms, KL(real‖generated) in nats, channels pooled, 256
    bins on [−1, 1], those that both fill.

    kld0 (of --split): the same with every channel's mean taken out of both noises, as a lone shot
    cannot know a pair's offset; each value counts as spread over ±½ of 1/255, so that no bin's edge
    is special.

    akld: mean KL divergence of zero-mean Gaussians of the local variances, squared noise under 7×7
    Gaussian windows of σ 1.4, at least 1e-10; their ratio is kept in [0.1, 10].

    ks: largest difference of the noise's cumulative distributions, in steps of 1/255.

    correlation: RMS error of auto- and cross-channel correlation within 6 px.

    level: RMS log2 ratio of the noise's σ in 16 bins of the clean's intensity, from 200 pixels a
    bin on; σ counts as a quarter of the integers' step at least.

    sigma: relative error of the overall σ.

    Of all pictures together, with --set-metrics (with --synth: of crops of up to 512×512 of at most
    96 pictures):

    mmd: squared MMD of 1000 noise patches of 8×8 a side, unbiased (it may fall below 0). The kernel
    is a sum of Gaussians of 1/4, 1/2, 1, 2 and 4 median distances between real patches.

    told apart: accuracy of a small CNN on 32×32 noise patches of pictures it was not trained on,
    with its 95 % interval (bootstrap over pictures). 0.5 is chance, and perfect. --looks draws, for
    noisegen and classical, crops of held-out pictures, both noises, what each place adds to the
    answer, and the frequencies that it hangs on.

    gap dB, gap SSIM: of a small DnCNN (7 layers, 32 channels) on real pictures of other scenes:
    trained on real pairs, less trained on generated pairs.

    KL divergences of other papers' code, by --kld. All are KL(real‖generated) in nats; their
    figures cannot be compared with each other, nor with published ones on other data or crops:

    noise-flow (Noise Flow's and CA-NoiseGAN's code, raw data): 64 bins on [−0.1, 0.1] and one
    beyond on either side, those that both fill, channels pooled.

    noise2noise-flow (Noise2NoiseFlow's code, raw data): the same bins, 1 added to each count.

    srgb-flow (Kousha et al.'s sRGB model, in Noise2NoiseFlow's code): 130 bins of 4/255 on
    [−260/255, 260/255], 1 added to each count, channels pooled.

    henz (Henz et al.'s code): 49 bins of 2/255 from −50.1/255 on and one beyond on either side,
    those that both fill, mean over channels.

    naflow (NAFlow's code, as GuidNoise has it): what kld is.
    """

    real: Annotated[
        str | None,
        "Real pairs: a folder with noisy/ and clean/ or metadata.jsonl, or of scenes as SIDD's; or "
        "NOISY:CLEAN, two folders, files or patterns.",
        {"metavar": "DIR"},
    ] = None
    synth: Annotated[
        str | None,
        "Synthetic pairs, the same way: instead of --split, compare them with --real.",
        {"metavar": "DIR"},
    ] = None
    ref: Refs = ()
    ref_clean: RefCleans = ()
    profile: Annotated[
        Sequence[Path], "A saved noise profile instead of --ref, for the baselines."
    ] = ()
    kld: Annotated[
        Sequence[str],
        "Also the KL divergence of another paper's code (see above); repeatable.",
        {"metavar": "NAME"},
    ] = ()
    csv: Annotated[
        Path | None,
        "Folder for scores.csv, made if need be; of folders intensity.csv too, of splits sets.csv "
        "(--set-metrics) and instruments.csv.",
    ] = None
    white_level: WhiteLevel = None
    data: DataFolder = DATA
    split: Annotated[
        Sequence[str],
        "polyu-seen, polyu-unseen, polyu-seen-hard, polyu-seen-narrow, "
        "polyu-seen-across, polyu-unseen-across, w2s, gaussian, poisson, "
        "simulated, unseen-noise, nam25, s95, micro, instruments; repeatable.",
    ] = ()
    crops: Annotated[int, "Targets a PolyU scene; fewer for a quick look.", {"min": 1}] = 24
    set_metrics: Annotated[
        bool, "Also MMD, told apart and denoising gap: about a minute a row on one core."
    ] = False
    looks: Annotated[
        Path | None, "Folder for a PNG a split of what told apart looks at: half a minute more."
    ] = None
    instrument: Annotated[
        Sequence[str], "With --split instruments, only the one of this name; repeatable."
    ] = ()
    by: Annotated[
        str | None,
        "References of the splits: pair (the default; S95's are bursts), lone (one shot, its clean "
        "withheld: it is estimated), or pair,lone.",
        {"metavar": "KINDS"},
    ] = None
    lone: Annotated[bool, "The same as --by lone."] = False
    peers: Annotated[
        bool, "On splits, also what could be used instead, fitted to the same references."
    ] = False
    ablate: Annotated[bool, "On splits, also uncompleted: ours without the prior over cameras."] = (
        False
    )
    blind: Annotated[bool, "What --lone was called once.", {"hidden": True}] = False
    weights: Weights = "base"
    device: Device = "auto"


@dataclass(frozen=True)
class Probe:
    """Ask whether the prompts of your cameras lie apart.

    A nearest neighbour and a linear probe tell each crop's camera and ISO from the prompts of
    other scenes, never from its own scene's. Beside them: what the measured statistics tell
    without the encoder, what strength tells, and what the scenes' brightness tells, which is no
    property of a camera; the label of most scenes, and shuffled labels.
    """

    shots: Annotated[
        Path | None,
        typer.Argument(
            help="A CSV file with the columns noisy, clean, camera, iso and scene, a shot a line, "
            "paths from the file's folder on; clean, scene, and one of camera and iso may be "
            "missing. Left out: PolyU's shots in --data.",
            show_default=False,
        ),
    ] = None
    data: DataFolder = DATA
    out: Annotated[Path | None, "Page with a map of the prompts too, an .html file."] = None
    crops: Annotated[int, "Crops of 256×256 a shot, at most.", {"min": 1}] = 8
    blind: Annotated[bool, "Withhold the shots' clean: it is estimated."] = False
    white_level: WhiteLevel = None
    weights: Weights = "base"
    overwrite: Overwrite = False


@dataclass(frozen=True)
class Study:
    """Measure what synthetic pairs do for a denoiser.

    The same DnCNN is trained in several ways, at equal steps and equally many crops, and tested on
    real pictures that none has seen.

    real: on real pairs. gaussian, classical, generated: on the same cleans with noise made from a
    few references.

    classical: the plain classical model of the references. start: generated with the network off.
    lone: generated from one shot of each without its clean.

    drawn: noise of simulated cameras of all kinds; mixed-drawn: half of it beside real pairs.
    gaussian-0-50: Gaussian noise of a strength from 0 to 50 of 255.

    mixed-25, mixed-50, mixed-75: on real pairs and so many percent of generated ones, with the
    noise of --new-ref where it is given. new: on generated pairs of --new-ref alone.

    few: on the references and their cleans as pairs. few+gaussian, few+generated: half on these,
    half on other cleans with noise made from them.

    With --data the pictures are PolyU's: real pairs of its training scenes and one reference for
    each camera and ISO; tested on other scenes of these cameras (seen) and on a camera that neither
    the denoisers nor the shipped generator have seen (unseen), whose generated pairs come from two
    other scenes of it. The few are a picture of one scene of each camera. The shipped generator has
    seen the training scenes, but none that is tested on.

    With your own pictures: --test and --ref, and --real or --clean. Pairs are used without drift in
    brightness and without the crops whose residual follows the clean's edges.

    The same command again goes on where it was stopped; it may ask for more arms and more seeds.
    OUT holds table.md, results.json, summary.csv, scores.csv (every picture), curves.csv (learning
    curves: PSNR of 6 pictures of each test at ten steps), and each run's denoiser.
    """

    out: Annotated[Path, "Folder of the study; one begun there goes on."]
    data: Annotated[Path | None, "Folder of the real data: a study on PolyU."] = None
    real: Annotated[
        str | None,
        "Real pairs to train on: a folder with noisy/ and clean/ or metadata.jsonl, or "
        "NOISY:CLEAN.",
        {"metavar": "DIR"},
    ] = None
    test: Annotated[
        Sequence[str],
        "Real pairs of other scenes to test on; repeatable.",
        {"metavar": "NAME=DIR"},
    ] = ()
    ref: Refs = ()
    ref_clean: RefCleans = ()
    new_ref: Annotated[
        Sequence[str], "Noisy shots of a camera that --real does not hold; repeatable."
    ] = ()
    new_ref_clean: Annotated[Sequence[str], "Clean of each --new-ref; repeatable."] = ()
    clean: Annotated[
        Sequence[str], "Other clean pictures to put generated noise on; repeatable."
    ] = ()
    size: Annotated[
        str, "small (a minute a run on one core), nafnet, or full (PNG's, for a GPU)."
    ] = "small"
    arms: Annotated[str | None, "Some of the arms, as real,gaussian,generated."] = None
    seeds: Annotated[int, "Runs of each arm.", {"min": 1}] = 3
    steps: Annotated[int | None, "Of each run, instead of the size's own.", {"min": 1}] = None
    plot: Annotated[Path | None, "The learning curves as a PNG too."] = None
    weights: Weights = "base"
    white_level: WhiteLevel = None
    device: Device = "auto"


@dataclass(frozen=True)
class Benchmark:
    """Time the noise alone, synth end to end, reading and writing; count its arithmetic.

    With --beside also other noise on the same pictures (NumPy's; albumentations' if it is
    installed), crops for a training, the start of a process and profiles of a 12 Mpx shot.
    """

    side: Annotated[int, "Side of the pictures, in pixels.", {"min": 64}] = 1024
    count: Annotated[int, "How many.", {"min": 1}] = 4
    threads: Threads = None
    workers: Annotated[int | None, "Images in hand at once.", {"min": 1}] = None
    beside: Annotated[bool, "Also what speed is compared with; half a minute more."] = False
    sizes: Annotated[
        bool, "Also a table from 64² to 24 Mpx and from 4 to 10,000 pictures; ten minutes more."
    ] = False
    weights: Weights = "base"
    device: Device = "cpu"
