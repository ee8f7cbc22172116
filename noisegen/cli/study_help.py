"""What ``noisegen study --help`` says.

A paragraph is one line here: Typer keeps a docstring's line breaks.
"""

PARAGRAPHS = (
    "What synthetic pairs do for a denoiser: the same DnCNN is trained in several ways, at equal "
    "steps and equally many crops, and tested on real pictures that none has seen.",
    "real: on real pairs. gaussian, classical, generated: on the same cleans with noise made from "
    "a few references.",
    "mixed-25, mixed-50, mixed-75: on real pairs and so many percent of generated ones, with the "
    "noise of --new-ref where it is given. new: on generated pairs of --new-ref alone.",
    "few: on the references and their cleans as pairs. few+gaussian, few+generated: half on these, "
    "half on other cleans with noise made from them.",
    "With --data the pictures are PolyU's: real pairs of its training scenes and one reference for "
    "each camera and ISO; tested on other scenes of these cameras (seen) and on a camera that "
    "neither the denoisers nor the shipped generator have seen (unseen), whose generated pairs "
    "come from two other scenes of it. The few are a picture of one scene of each camera. The "
    "shipped generator has seen the training scenes, but none that is tested on.",
    "With your own pictures: --test and --ref, and --real or --clean. Pairs are used without drift "
    "in brightness and without the crops whose residual follows the clean's edges.",
    "The same command again goes on where it was stopped; it may ask for more arms and more seeds. "
    "OUT holds table.md, results.json, scores.csv (every test picture), curves.csv (the learning "
    "curves: PSNR of 12 pictures of each test at ten steps), and each run's denoiser.",
)

HELP = "\n\n".join(PARAGRAPHS)
