//! A single value of an attribute or an event property.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// A value a person or an event may have. Dates are written `YYYY-MM-DD` texts until a schema says otherwise.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Scalar {
    /// True or false.
    Bool(bool),
    /// A number, exact; written as a JSON text so that no reader makes it a float.
    Number(#[serde(with = "number")] Decimal),
    /// A text.
    Text(String),
    /// Several texts, as given.
    Texts(Vec<String>),
}

impl Scalar {
    /// The text, if it is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// Numbers as `{"n":"1.50"}`: a form that no text can be mistaken for.
mod number {
    use rust_decimal::Decimal;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Form {
        n: Decimal,
    }

    pub(super) fn serialize<S: Serializer>(value: &Decimal, serializer: S) -> Result<S::Ok, S::Error> {
        Form { n: *value }.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
        Form::deserialize(deserializer).map(|form| form.n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scalar_survives_json() {
        for scalar in [
            Scalar::Bool(true),
            Scalar::Number("1.50".parse().unwrap()),
            Scalar::Text("1.50".into()),
            Scalar::Texts(vec!["a".into()]),
        ] {
            let json = serde_json::to_string(&scalar).unwrap();
            assert_eq!(serde_json::from_str::<Scalar>(&json).unwrap(), scalar, "{json}");
        }
    }
}
