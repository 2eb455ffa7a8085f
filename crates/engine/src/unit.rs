//! Vectors of unit length.

use crate::EngineFault;

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

/// The vector, if all its components are numbers: no other is answered, or paid for.
pub(crate) fn finite(vector: Vec<f32>) -> Result<Vec<f32>, EngineFault> {
    match vector.iter().all(|component| component.is_finite()) {
        true => Ok(vector),
        false => Err(EngineFault::NotFinite),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_is_not_answered() {
        assert!(finite(unit(&[3.0, 4.0])).is_ok());
        for component in [f32::NAN, f32::INFINITY] {
            let found = finite(unit(&[1.0, component]));
            assert!(matches!(found, Err(EngineFault::NotFinite)));
        }
    }
}
