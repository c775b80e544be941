"""What an opened Pillow image means: the colours a viewer shows, or the class ids of a mask."""

import struct
import zlib
from contextlib import contextmanager

import numpy as np
from PIL import Image, ImageOps

from .classes import VOID, voc_palette

SAMPLES_PER_PIXEL = 277  # a tag of TIFF


@contextmanager
def naming(path):
    """Turn whatever Pillow's decoders raise into an OSError that names the file."""
    try:
        yield
    except Image.DecompressionBombError as error:
        raise OSError(
            f"{path} has more pixels than Pillow opens at once ({2 * Image.MAX_IMAGE_PIXELS:,}). "
            "Save it as several pieces, or read parts of it with `read=` (notebook 8)."
        ) from error
    except (SyntaxError, ValueError, EOFError, OSError, struct.error, zlib.error) as error:
        if isinstance(error, OSError) and error.filename:
            raise  # "No such file" and the like name it already.
        raise OSError(
            f"{path} cannot be decoded: {error}. Is the file complete? Fetch it again, or take it "
            "out of the list."
        ) from error


def image_array(image, path, size, levels=None):
    """An opened Pillow image as uint8 (h, w, 3), as a viewer shows it.

    `size` is (height, width) to resize to (bilinear, antialiased), or None. `levels` are the values
    (black, white) of a grey image with more than 8 bits; None is the range of 16 bits. `path` is
    for the errors: OSError for pixels that cannot be decoded or that do not fit 8 bits a channel.
    """
    with naming(path):
        _refuse_what_would_be_lost(image)
        ImageOps.exif_transpose(image, in_place=True)
        image = _to_rgb(image, levels or (0, 65535))
        # Letting the JPEG decoder shrink (`draft`) was tried on VOC photographs: at 96x96 it saves
        # a third of the time but moves pixels by up to 98 levels, at 224x224 it saves nothing.
        if size is not None and image.size != size[::-1]:
            image = image.resize(size[::-1], Image.Resampling.BILINEAR)
        return np.array(image)


def _refuse_what_would_be_lost(image):
    """ValueError for pages behind the first, colours of 16 bits a channel, and a fourth band."""
    pages = getattr(image, "n_frames", 1) if image.format == "TIFF" else 1
    if pages > 1:
        raise ValueError(
            f"it is a stack of {pages} pages, save each as a file, or choose one with `read=`"
        )
    # Of such colours Pillow keeps the upper 8 bits; only the decoder's own word says that.
    if image.mode in ("RGB", "RGBA") and any("16" in str(part.args) for part in image.tile):
        raise ValueError(
            "it has 16 bits a channel, of which only the upper 8 would be read, save it with 8, "
            "or read it with `read=`"
        )
    if image.format == "TIFF" and image.mode in ("RGB", "RGBA"):
        bands = image.tag_v2.get(SAMPLES_PER_PIXEL, 3)
        # As a fourth band, infrared looks like transparency, and the picture would become white.
        alpha = image.getchannel("A").histogram() if image.mode == "RGBA" else ()
        if bands > len(image.mode) or any(alpha[1:-1]):
            raise ValueError(
                f"it has {bands} bands, of which the first three can be shown, save these alone, "
                "or choose three with `read=`"
            )


def _to_rgb(image, levels):
    if image.mode == "RGB" and not image.has_transparency_data:
        return image
    if image.mode.startswith("I"):
        # Pillow's own conversion cuts 16-bit values off at 255 instead of scaling them.
        values = np.asarray(image).astype(np.int32)  # 65,535 · 255 fits
        if values.min() < 0 or values.max() > 65535:
            raise ValueError("its values do not fit 16 bits, save it with 8 bits a channel")
        black, white = levels
        # In place: a slide of many megapixels would else be in memory four times.
        values -= black
        values *= 255
        values += (white - black) // 2
        values //= white - black
        image = Image.fromarray(values.clip(0, 255, out=values).astype(np.uint8))
    elif image.mode == "F":
        raise ValueError("it holds floating-point values, save it with 8 bits a channel")
    if image.has_transparency_data:
        over = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", over.size, "white"), over)
    return image.convert("RGB")


def mask_array(image, path, size, n_classes, palette, voids=()):
    """An opened Pillow image as class ids, uint8 (h, w); void is 255.

    `size` is (height, width) to resize to (nearest neighbour), or None. The colours of an RGB
    image are looked up in `palette`, uint8 (n, 3), or None if there is none; colours in `voids`,
    (k, 3), are void, as VOC's border colour is. `n_classes` None allows every id. `path` is for the
    errors: OSError for pixels that cannot be decoded; ValueError for a JPEG, a mode that holds no
    ids, an id from `n_classes` on (255 excepted), and a colour that is not in the palette.
    """
    if image.format == "JPEG":
        raise ValueError(f"{path} is a JPEG, which blurs class ids. Save masks as PNG.")
    with naming(path):
        ImageOps.exif_transpose(image, in_place=True)
        image.load()
    if image.mode in ("RGB", "RGBA"):
        image = Image.fromarray(_ids_of_colours(np.asarray(image), path, palette, voids))
    elif image.mode not in ("P", "L", "1") and not image.mode.startswith("I"):
        raise ValueError(f"{path} has mode {image.mode!r}. Save masks as grey or palette PNG.")
    values = np.asarray(image)
    _check_ids(values, path, n_classes)
    if size is None or image.size == size[::-1]:
        return values.astype(np.uint8)
    ids = Image.fromarray(values.astype(np.uint8))
    return np.array(ids.resize(size[::-1], Image.Resampling.NEAREST))


def _check_ids(values, path, n_classes):
    lowest, highest = values.min(), values.max()
    limit = VOID if n_classes is None else n_classes
    if lowest >= 0 and highest < limit:
        return
    wrong = np.unique(values[((values < 0) | (values >= limit)) & (values != VOID)])
    if len(wrong):
        raise ValueError(
            f"{path} holds the class ids {', '.join(map(str, wrong[:5]))}, but the ids go from 0 "
            f"to {limit - 1}, and {VOID} for void. Correct the mask or the list of classes."
        )


def _ids_of_colours(pixels, path, palette, voids):
    if palette is None:
        raise ValueError(f"{path} is coloured. Give the palette that turns colours into ids.")
    if pixels.shape[2] == 4 and pixels[:, :, 3].min() < 255:
        raise ValueError(f"{path} is partly transparent. Save masks as grey or palette PNG.")
    id_of = {_code(colour): class_id for class_id, colour in reversed(list(enumerate(palette)))}
    for colour in (voc_palette()[VOID], *voids):
        id_of.setdefault(_code(colour), VOID)
    known = np.array(sorted(id_of))
    codes = pixels[:, :, :3].astype(np.int64) @ (65536, 256, 1)
    place = np.searchsorted(known, codes).clip(max=len(known) - 1)
    unknown = codes[known[place] != codes]
    if unknown.size:
        colour = tuple(unknown[0] >> shift & 255 for shift in (16, 8, 0))
        raise ValueError(
            f"{path} has the colour {tuple(map(int, colour))}, which is not in the palette of "
            f"{len(palette)} classes. Save the mask with class ids, or give its own palette."
        )
    return np.array([id_of[code] for code in known], np.uint8)[place]


def _code(colour):
    red, green, blue = (int(channel) for channel in colour)
    return red << 16 | green << 8 | blue
