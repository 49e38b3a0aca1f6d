"""Images and audio: what is left to chance has tests of its own.

Layers that draw have arguments here that leave one thing to draw.
"""

from tests.layers.cases.case import Case

PIXELS = (2, 8, 10, 3)
ONE = (1, 8, 10, 3)  # mixed with itself
FIRST = (2, 3, 8, 10)
SOUND = (2, 60, 2)

# fmt: off
CASES = [
    Case("Rescaling", lambda L: L.Rescaling(0.5, 3.0), [PIXELS], {}, 0, (1, 2)),
    Case("Rescaling-channels", lambda L: L.Rescaling(
        [0.5, 1.0, 2.0], [1.0, 2.0, 3.0]), [PIXELS], {}, 0, (1, 2)),
    Case("Resizing", lambda L: L.Resizing(5, 13), [PIXELS], {}, 0, (1, 2)),
    Case("Resizing-crop", lambda L: L.Resizing(
        4, 4, crop_to_aspect_ratio=True), [PIXELS], {}, 0, (1, 2)),
    Case("Resizing-pad", lambda L: L.Resizing(
        16, 10, "nearest", pad_to_aspect_ratio=True, fill_value=2.0), [PIXELS]),
    Case("Resizing-first", lambda L: L.Resizing(
        4, 3, "bicubic", antialias=True, data_format="channels_first"), [FIRST]),
    Case("CenterCrop", lambda L: L.CenterCrop(5, 3), [PIXELS], {}, 0, (1, 2)),
    Case("CenterCrop-small", lambda L: L.CenterCrop(16, 15), [PIXELS]),
    Case("CenterCrop-first", lambda L: L.CenterCrop(
        3, 4, data_format="channels_first"), [FIRST]),
    Case("AutoContrast", lambda L: L.AutoContrast((-1, 1)), [PIXELS], {}, 0, (1, 2)),
    Case("CLAHE", lambda L: L.ContrastLimitedAdaptiveHistogramEqualization(
        (-3, 3), 9.0, (2, 3)), [PIXELS], {}, 0, (1, 2), smooth=False),
    Case("RandomGrayscale", lambda L: L.RandomGrayscale(1.0), [PIXELS], {}, 0, (1, 2)),
    Case("RandomRotation", lambda L: L.RandomRotation((0.1, 0.1)), [PIXELS], {}, 0, (1, 2)),
    Case("RandomTranslation", lambda L: L.RandomTranslation(
        (0.2, 0.2), (-0.1, -0.1), "constant", fill_value=1.0), [PIXELS], {}, 0, (1, 2)),
    Case("RandomZoom", lambda L: L.RandomZoom(
        (0.2, 0.2), (0.3, 0.3), data_format="channels_first"), [FIRST], {}, 0, (2, 3)),
    Case("RandomBrightness", lambda L: L.RandomBrightness(
        (0.2, 0.2), (-2, 2)), [PIXELS], {}, 0, (1, 2)),
    Case("RandomSharpness", lambda L: L.RandomSharpness(
        (0.7, 0.7), (-9, 9)), [PIXELS], {}, 0, (1, 2)),
    Case("RandomColorDegeneration", lambda L: L.RandomColorDegeneration(
        (0.4, 0.4), (-9, 9)), [PIXELS], {}, 0, (1, 2)),
    Case("RandomInvert", lambda L: L.RandomInvert((1.0, 1.0), (0, 1)), [PIXELS], {}, 0, (1, 2)),
    Case("RandomPosterization", lambda L: L.RandomPosterization(
        (4, 4), (-4, 4)), [PIXELS], {}, 0, (1, 2), smooth=False),
    Case("RandomContrast", lambda L: L.RandomContrast(
        (0.0, 0.0), (-1, 1)), [PIXELS], {}, 0, (1, 2)),
    Case("RandomSaturation", lambda L: L.RandomSaturation(
        (0.7, 0.7), (-9, 9)), [PIXELS], {}, 0, (1, 2), oracle=False),  # Keras errs below 0
    Case("RandomHue", lambda L: L.RandomHue((1.0, 1.0), (-9, 9)), [PIXELS], {}, 0, (1, 2)),
    Case("RandomColorJitter", lambda L: L.RandomColorJitter(
        (-9, 9), (0.1, 0.1), None, (0.4, 0.4), (1.0, 1.0)), [PIXELS], {}, 0, (1, 2)),
    Case("RandomGaussianBlur", lambda L: L.RandomGaussianBlur(
        (1.0, 1.0), (3, 5), (0.8, 0.8), (-9, 9)), [PIXELS], {}, 0, (1, 2)),
    Case("RandomErasing", lambda L: L.RandomErasing(
        (1.0, 1.0), (1.0, 1.0), 2.0), [PIXELS], {}, 0, (1, 2)),
    Case("RandomElasticTransform", lambda L: L.RandomElasticTransform(
        1.0, (0.0, 0.0), value_range=(-9, 9)), [PIXELS], {}, 0, (1, 2)),
    Case("RandomShear", lambda L: L.RandomShear(0.0, 0.0), [PIXELS], {}, 0, (1, 2)),
    Case("RandomPerspective", lambda L: L.RandomPerspective(
        (1.0, 1.0), 0.0, data_format="channels_first"), [FIRST], {}, 0, (2, 3)),
    Case("RandomCrop", lambda L: L.RandomCrop(8, 10), [PIXELS], {}, 0, (1, 2)),
    Case("Solarization", lambda L: L.Solarization(
        (0.0, 0.0), (0.0, 0.0), (-4, 4)), [PIXELS], {}, 0, (1, 2)),
    Case("Equalization", lambda L: L.Equalization(
        (-4, 4)), [ONE], {}, 0, (1, 2), smooth=False),
    Case("MixUp", lambda L: L.MixUp(), [ONE], {}, 0, (1, 2)),
    Case("CutMix", lambda L: L.CutMix(), [ONE], {}, 0, (1, 2)),
    Case("Pipeline", lambda L: L.Pipeline([
        L.RandomRotation((0.1, 0.1)), L.CenterCrop(5, 3), L.Rescaling(0.5)]), [PIXELS]),
    Case("MaxNumBoundingBoxes", lambda L: L.MaxNumBoundingBoxes(3), [PIXELS], {}, 0, (1, 2)),
    Case("MelSpectrogram", lambda L: L.MelSpectrogram(
        16, 8, sampling_rate=400, num_mel_bins=5, min_freq=1.0), [(2, 60)], {}, 0, (1,)),
    Case("MelSpectrogram-power", lambda L: L.MelSpectrogram(
        32, 8, 20, "hamming", sampling_rate=400, num_mel_bins=4, power_to_db=False,
        mag_exp=1.0), [(2, 60)]),
    Case("STFTSpectrogram", lambda L: L.STFTSpectrogram(
        frame_length=16), [SOUND], {}, 0, (1,)),
    Case("STFTSpectrogram-magnitude", lambda L: L.STFTSpectrogram(
        "magnitude", 16, 5, 20, scaling="spectrum", padding="same"), [SOUND]),
    Case("STFTSpectrogram-psd", lambda L: L.STFTSpectrogram(
        "psd", 16, window=None, expand_dims=True), [SOUND]),
    Case("STFTSpectrogram-imag", lambda L: L.STFTSpectrogram("imag", 16), [SOUND]),
    Case("STFTSpectrogram-odd", lambda L: L.STFTSpectrogram("psd", 15, 4, 17), [SOUND]),
    Case("STFTSpectrogram-real", lambda L: L.STFTSpectrogram(
        "real", 16, periodic=True, data_format="channels_first"), [(2, 2, 60)], {}, 0, (2,)),
    Case("STFTSpectrogram-stft", lambda L: L.STFTSpectrogram(
        "stft", 16, scaling=None, expand_dims=True, data_format="channels_first"), [(2, 2, 60)]),
]
