//! Pictures as PNG, written quickly: what is drawn for everybody is not worth the last byte.

use png::{BitDepth, ColorType, Compression, Encoder};

fn written(width: u32, height: u32, color: ColorType, pixels: &[u8]) -> Result<Vec<u8>, png::EncodingError> {
    let mut out = Vec::with_capacity(pixels.len() / 8);
    let mut encoder = Encoder::new(&mut out, width, height);
    encoder.set_color(color);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(Compression::Fast);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(out)
}

/// A picture in grey, one byte a pixel; empty where there are not as many as it has.
pub(crate) fn grey(width: u32, height: u32, pixels: &[u8]) -> Vec<u8> {
    written(width, height, ColorType::Grayscale, pixels).unwrap_or_default()
}

/// A picture in colours, three bytes a pixel; empty where there are not as many as it has.
pub(crate) fn rgb(width: u32, height: u32, pixels: &[u8]) -> Vec<u8> {
    written(width, height, ColorType::Rgb, pixels).unwrap_or_default()
}
