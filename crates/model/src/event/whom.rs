//! Whom an item is about: the names it bears, each as it is kept ([`crate::identifier::normalise`]), without those that name
//! nobody.

use super::json::Json;
use super::read::{EXTERNAL_IDS_MAX, bounded};
use super::{Event, Identifier, Origin, Refusal};
use crate::identifier::{is_blocked, normalise};

/// How names are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// At the door: what cannot be understood is refused.
    Door,
    /// From the record, where an older program may have taken what would be refused today: that stays as it was written.
    Record,
}

/// The names of an item, in its order.
pub(super) fn identifiers(
    json: &Json,
    context: &Json,
    origin: &Origin<'_>,
    reading: Reading,
) -> Result<Vec<Identifier>, Refusal> {
    let mut whom = Whom { reading, found: Vec::new(), blocked: Vec::new() };
    if let Some(value) = json.get("userId") {
        whom.add(origin.user_namespace, value, "userId")?;
    }
    if let Some(Json::List(list)) = context.get("externalIds") {
        if list.len() > EXTERNAL_IDS_MAX {
            let message = format!("{} external ids; at most {EXTERNAL_IDS_MAX}", list.len());
            return Err(Refusal::new("too_many_identifiers", "context.externalIds", message));
        }
        for (i, entry) in list.iter().enumerate() {
            let field = format!("context.externalIds[{i}]");
            let (Some(kind), Some(value)) = (entry.get("type").and_then(Json::text), entry.get("id")) else {
                return Err(Refusal::new("bad_identifier", field, "an external id has an id and a type"));
            };
            bounded(&field, kind)?;
            whom.add(kind, value, &field)?;
        }
    }
    if let Some(value) = json.get("anonymousId") {
        whom.add("anonymous", value, "anonymousId")?;
    }
    whom.end()
}

struct Whom {
    reading: Reading,
    found: Vec<Identifier>,
    /// What names nobody, with its field.
    blocked: Vec<(Identifier, String)>,
}

impl Whom {
    fn add(&mut self, namespace: &str, value: &Json, field: &str) -> Result<(), Refusal> {
        let text = value.text_or_number().map(str::trim).ok_or_else(|| {
            Refusal::new(
                "bad_identifier",
                field,
                "an identifier is a text, or a whole number of at most 64 bits",
            )
        })?;
        bounded(field, text)?;
        if text.is_empty() {
            return Ok(());
        }
        let namespace = namespace.to_owned();
        if is_blocked(&namespace, text) {
            self.blocked.push((Identifier { namespace, value: text.to_owned() }, field.to_owned()));
            return Ok(());
        }
        let value = match (normalise(&namespace, text), self.reading) {
            (Ok(value), _) => value,
            (Err(_), Reading::Record) => text.to_owned(),
            (Err(refusal), Reading::Door) => return Err(at(refusal, field)),
        };
        let identifier = Identifier { namespace, value };
        if !self.found.contains(&identifier) {
            self.found.push(identifier);
        }
        Ok(())
    }

    fn end(self) -> Result<Vec<Identifier>, Refusal> {
        let Self { reading, found, blocked } = self;
        match (found.is_empty(), reading) {
            (false, _) => Ok(found),
            (true, Reading::Record) if !blocked.is_empty() => {
                Ok(blocked.into_iter().map(|(identifier, _)| identifier).collect())
            }
            (true, _) => Err(match blocked.into_iter().next() {
                Some((identifier, field)) => nobody(field, &identifier.namespace),
                None => {
                    let message = "an item has a userId, an anonymousId or an external id";
                    Refusal::new("nobody", "userId", message)
                }
            }),
        }
    }
}

/// Whom else the decision on an item may reach, by a name that can be somebody's.
pub(super) fn reaches(event: &Event) -> Result<Option<Identifier>, Refusal> {
    let Some(to) = event.reaches() else { return Ok(None) };
    let field = "properties.to_value";
    if is_blocked(&to.namespace, &to.value) {
        return Err(nobody(field, &to.namespace));
    }
    normalise(&to.namespace, &to.value).map_err(|refusal| at(refusal, field))?;
    Ok(Some(to))
}

/// The refusal of a value that names nobody, where nothing else names anybody.
pub fn nobody(field: impl Into<String>, namespace: &str) -> Refusal {
    Refusal::new("identifier_blocked", field, format!("this {namespace} names nobody, and nothing else does"))
}

/// A refusal of a value, at the field that it came in.
fn at(refusal: Refusal, field: &str) -> Refusal {
    Refusal { field: field.to_owned(), ..refusal }
}

#[cfg(test)]
mod tests {
    use super::super::{accept, read};
    use super::*;

    fn whom(rest: &str, door: bool) -> String {
        let item = format!(r#"{{"type":"track","event":"X","timestamp":"2017-01-01T00:00:00Z"{rest}}}"#);
        let origin = Origin { user_namespace: "user", default_time: None };
        let read = if door {
            accept(item.as_bytes(), &origin).map(|item| item.identifiers)
        } else {
            read(item.as_bytes(), &origin).map(|event| event.identifiers)
        };
        match read {
            Ok(found) => {
                let names = found.iter().map(|found| format!("{}:{}", found.namespace, found.value));
                names.collect::<Vec<_>>().join(" ")
            }
            Err(refusal) => format!("{} @{}", refusal.code, refusal.field),
        }
    }

    fn ids(ids: &[(&str, &str)]) -> String {
        let list: Vec<String> =
            ids.iter().map(|(kind, id)| format!(r#"{{"type":"{kind}","id":"{id}"}}"#)).collect();
        format!(r#","context":{{"externalIds":[{}]}}"#, list.join(","))
    }

    #[test]
    fn names_are_as_they_are_kept_and_what_names_nobody_is_passed_over() {
        let cases = [
            (ids(&[("phone", "139 1234 5678")]), "phone:+8613912345678", "phone:+8613912345678"),
            (
                ids(&[("phone", "13912345678"), ("phone", "+86 139-1234-5678")]),
                "phone:+8613912345678",
                "phone:+8613912345678",
            ),
            (ids(&[("email", " Ann@Example.COM ")]), "email:ann@example.com", "email:ann@example.com"),
            // What cannot be understood is refused with its field, also where another name holds.
            (
                r#","userId":"u1""#.to_owned() + &ids(&[("card", "1"), ("phone", "12")]),
                "phone_malformed @context.externalIds[1]",
                "user:u1 card:1 phone:12",
            ),
            (ids(&[("email", "nobody")]), "email_malformed @context.externalIds[0]", "email:nobody"),
            // What names nobody is passed over where another name holds, and else refused with its field.
            (
                r#","userId":"null","anonymousId":"a1""#.to_owned() + &ids(&[("phone", "13800138000")]),
                "anonymous:a1",
                "anonymous:a1",
            ),
            (r#","userId":"0000""#.to_owned(), "identifier_blocked @userId", "user:0000"),
            (
                ids(&[("phone", "00000000000")]),
                "identifier_blocked @context.externalIds[0]",
                "phone:00000000000",
            ),
            (
                r#","anonymousId":"undefined""#.to_owned(),
                "identifier_blocked @anonymousId",
                "anonymous:undefined",
            ),
            (r#","userId":"  ","anonymousId":null"#.to_owned(), "nobody @userId", "nobody @userId"),
        ];
        for (rest, door, record) in cases {
            assert_eq!(whom(&rest, true), door, "{rest}");
            assert_eq!(whom(&rest, false), record, "{rest}");
        }
    }

    #[test]
    fn a_gift_names_its_receiver_as_names_are_kept() {
        let gift = |namespace: &str, value: &str| {
            let item = format!(
                r#"{{"type":"track","event":"Points Gifted","timestamp":"2017-01-01T00:00:00Z","userId":"u",
                "properties":{{"amount":1,"to_namespace":"{namespace}","to_value":"{value}"}}}}"#
            );
            let origin = Origin { user_namespace: "user", default_time: None };
            match accept(item.as_bytes(), &origin) {
                Ok(item) => item.reaches.map(|to| to.value).unwrap_or_default(),
                Err(refusal) => format!("{} @{}", refusal.code, refusal.field),
            }
        };
        assert_eq!(gift("phone", "139 1234 5678"), "+8613912345678");
        assert_eq!(gift("phone", "12"), "phone_malformed @properties.to_value");
        assert_eq!(gift("user", "null"), "identifier_blocked @properties.to_value");
        assert_eq!(gift("user", " u2 "), "u2");
    }
}
