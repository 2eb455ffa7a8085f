//! Vectors of unit length.

/// The same direction at length 1, or nothing but zeros. The length is computed in f64, from the first
/// component to the last.
pub(crate) fn unit(vector: &[f32]) -> Vec<f32> {
    let squares: f64 = vector.iter().map(|v| f64::from(*v) * f64::from(*v)).sum();
    let scale = if squares > 0.0 {
        1.0 / squares.sqrt()
    } else {
        0.0
    };
    let scaled = vector.iter().map(|v| (f64::from(*v) * scale) as f32);
    scaled.collect()
}
