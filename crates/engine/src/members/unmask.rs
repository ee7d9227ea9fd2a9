//! One field of a member as it is, for somebody who sees it masked and says why they need it.

use serde_json::{Value, json};
use zhiyin_decide::naming;
use zhiyin_model::event::Refusal;
use zhiyin_model::id::MemberId;
use zhiyin_model::role::{Grant, Operation};
use zhiyin_store::read::MemberWhole;

use crate::audit::{Target, detail};
use crate::sight::{self, ReadProblem};
use crate::{Engine, EngineError, Result, boxed};

/// Characters of a reason, at least and at most.
const REASON_CHARS: std::ops::RangeInclusive<usize> = 4..=200;
/// So many digits in a row are a number by which somebody is known.
const DIGITS_OF_SOMEBODY: usize = 6;
/// Bytes of a field's name at most.
const FIELD_BYTES_MAX: usize = 80;

/// Why this says too little, or too much: the log that it is written to is never changed, so it names nobody.
fn reason_checked(reason: &str, values: &[Value]) -> std::result::Result<(), Refusal> {
    let refused = |code, message: &str| Err(Refusal::new(code, "reason", message));
    if !REASON_CHARS.contains(&reason.trim().chars().count()) || reason.chars().any(char::is_control) {
        return refused("reason_bad", "a reason has 4 to 200 characters on one line");
    }
    let digits = reason.split(|c: char| !c.is_ascii_digit()).any(|run| run.len() >= DIGITS_OF_SOMEBODY);
    let says =
        |value: &Value| value.as_str().is_some_and(|text| text.chars().count() > 1 && reason.contains(text));
    if digits || reason.contains('@') || values.iter().any(says) {
        return refused(
            "reason_names_somebody",
            "a reason stays in the audit log for good: no numbers, addresses or names of people",
        );
    }
    Ok(())
}

/// What stands in a field: `name`, `identifiers.NAMESPACE`, `attributes.KEY`; empty where nothing does.
fn values(whole: &MemberWhole, field: &str) -> Vec<Value> {
    if field == "name" {
        return naming::names(&whole.member).first().map(|name| json!(name)).into_iter().collect();
    }
    if let Some(namespace) = field.strip_prefix("identifiers.") {
        let of = whole.identifiers.iter().filter(|(of, _)| of == namespace);
        return of.map(|(_, value)| json!(value)).collect();
    }
    let attribute = field.strip_prefix("attributes.").and_then(|key| whole.member.attributes.get(key));
    attribute.map(sight::plain).into_iter().collect()
}

impl Engine {
    /// What stands in one field of a member, unmasked. The log says that somebody looks, at which field and why, before they do.
    #[boxed]
    pub async fn unmask(
        &self,
        who: &Grant,
        member: MemberId,
        (field, reason): (&str, &str),
    ) -> Result<std::result::Result<Vec<Value>, Refusal>> {
        let whole = self.store().member_whole(member).await?.ok_or(ReadProblem::Nobody)?;
        let found = if field.len() > FIELD_BYTES_MAX { Vec::new() } else { values(&whole, field) };
        if found.is_empty() {
            let message = "name, identifiers.NAMESPACE or attributes.KEY, of which the member has one";
            return Ok(Err(Refusal::new("field_unknown", "field", message)));
        }
        if let Err(refusal) = reason_checked(reason, &found) {
            return Ok(Err(refusal));
        }
        let key = self.home().await?.id_key;
        let target = Target::member(&key, whole.member.id);
        let noted = detail(json!({"act": "unmask", "field": field, "reason": reason.trim()}));
        let shown = async { Ok::<_, EngineError>(found) };
        Ok(Ok(self.audited(who, (Operation::MemberUpdate, &target), &noted, shown).await?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_says_something_and_names_nobody() {
        let values = [json!("张伟"), json!("gold"), json!("x")];
        for (reason, code) in [
            ("顾客来电核对地址", None),
            ("calls back about order 1001", None),
            ("", Some("reason_bad")),
            ("  a  ", Some("reason_bad")),
            ("two\nlines", Some("reason_bad")),
            (&"长".repeat(201), Some("reason_bad")),
            ("call 13912345678", Some("reason_names_somebody")),
            ("mail to a@b.example", Some("reason_names_somebody")),
            ("给张伟回电话", Some("reason_names_somebody")),
        ] {
            assert_eq!(reason_checked(reason, &values).err().map(|refusal| refusal.code), code, "{reason}");
        }
    }
}
