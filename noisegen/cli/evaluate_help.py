"""What ``noisegen evaluate --help`` says: every metric's definition.

A paragraph is one line here: Typer keeps a docstring's line breaks.
"""

PARAGRAPHS = (
    "Compare generated with real noise: --synth with --real, or on the validation splits.",
    "With --real and --synth: where both show the same pictures (pairs of one relative path, "
    "endings aside, with equal cleans), they are compared picture by picture and all together; "
    "else all together only, and what differs between the pictures counts too. By channel and by "
    "intensity as well. Real pairs are taken as they are: a shift or a drift in brightness between "
    "noisy and clean counts as noise. References of the real camera (--ref or --profile) add the "
    "baselines, made on the real pairs' cleans: Gaussian noise of the reference's σ, noisegen "
    "(what users get), and the floor, two draws of the weights' own "
    "noise.",
    "Noise is noisy − clean, from the files' integers, over the white level (255; of 16 bits found "
    "from the data), so in [−1, 1]. The files' noise is clipped and quantised, and so is the "
    "baselines'. 0 is perfect unless said otherwise.",
    "On a split, four lines stand beside the weights' own: Gaussian noise of the reference's σ; "
    "classical, a plain model of the reference's mean, level, spectrum and quantiles; noisegen, "
    "what users get; start, the measured model alone, the content network off; and the floor, two "
    "draws of one process. "
    "--lone gives every split one shot without its clean as reference. nam25, s95 and "
    "micro are never trained or tuned on.",
    "--split instruments needs no data: simulated instruments whose noise is known, each by pair, "
    "by burst of four and by a lone shot, beside the plain classical model of the pair. It prints "
    "σ and mean against the truth by tenths of the intensities that the reference shows, KLD, "
    "AKLD and correlation error with their floors, stripes, values that the instrument cannot "
    "give, and which targets are missed; --json has every tenth.",
    "Of each picture, as mean (median):",
    "kld: KL divergence of the noise's histograms, KL(real‖generated) in nats, channels pooled, "
    "256 bins on [−1, 1], those that both fill.",
    "kld0 (of --split): the same with every channel's mean taken out of both noises, as a lone "
    "shot cannot know a pair's offset; each value counts as spread over ±½ of 1/255, so that no "
    "bin's edge is special.",
    "akld: mean KL divergence of zero-mean Gaussians of the local variances, squared noise under "
    "7×7 Gaussian windows of σ 1.4, at least 1e-10; their ratio is kept in [0.1, 10].",
    "ks: largest difference of the noise's cumulative distributions, in steps of 1/255.",
    "correlation: RMS error of auto- and cross-channel correlation within 6 px.",
    "level: RMS log2 ratio of the noise's σ in 16 bins of the clean's intensity, from 200 pixels a "
    "bin on; σ counts as a quarter of the integers' step at least.",
    "sigma: relative error of the overall σ.",
    "Of all pictures together, with --set-metrics (with --synth: of crops of up to 512×512 of at "
    "most 96 pictures):",
    "mmd: squared MMD of 1000 noise patches of 8×8 a side, unbiased (it may fall below 0). The "
    "kernel is a sum of Gaussians of 1/4, 1/2, 1, 2 and 4 median distances between real patches.",
    "told apart: accuracy of a small CNN on 32×32 noise patches of pictures it was not trained on, "
    "with its 95 % interval (bootstrap over pictures). 0.5 is chance, and perfect.",
    "gap dB, gap SSIM: of a small DnCNN (7 layers, 32 channels) on real pictures of other scenes: "
    "trained on real pairs, less trained on generated pairs.",
    "KL divergences of other papers' code, by --kld. All are KL(real‖generated) in nats; their "
    "figures cannot be compared with each other, nor with published ones on other data or crops:",
    "noise-flow (Noise Flow's and CA-NoiseGAN's code, raw data): 64 bins on [−0.1, 0.1] and one "
    "beyond on either side, those that both fill, channels pooled.",
    "noise2noise-flow (Noise2NoiseFlow's code, raw data): the same bins, 1 added to each count.",
    "srgb-flow (Kousha et al.'s sRGB model, in Noise2NoiseFlow's code): 130 bins of 4/255 on "
    "[−260/255, 260/255], 1 added to each count, channels pooled.",
    "henz (Henz et al.'s code): 49 bins of 2/255 from −50.1/255 on and one beyond on either side, "
    "those that both fill, mean over channels.",
    "naflow (NAFlow's code, as GuidNoise has it): what kld is.",
)

HELP = "\n\n".join(PARAGRAPHS)
