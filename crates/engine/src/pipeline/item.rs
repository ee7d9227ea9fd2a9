//! What is derived, as it would come in from somebody.

use zhiyin_model::event::Identifier;
use zhiyin_model::event::json::write_text;
use zhiyin_model::time::Ts;

/// A derived event as an item of the wire, in canonical form.
pub(super) fn item(
    name: &str,
    at: Ts,
    to: Option<&Identifier>,
    properties: &[(&'static str, String)],
) -> String {
    let mut out = String::with_capacity(160);
    out.push('{');
    if let Some(to) = to {
        out.push_str("\"context\":{\"externalIds\":[{\"id\":");
        write_text(&to.value, &mut out);
        out.push_str(",\"type\":");
        write_text(&to.namespace, &mut out);
        out.push_str("}]},");
    }
    out.push_str("\"event\":");
    write_text(name, &mut out);
    out.push_str(",\"properties\":{");
    let mut sorted: Vec<_> = properties.iter().collect();
    sorted.sort();
    for (i, (key, value)) in sorted.into_iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        write_text(key, &mut out);
        out.push(':');
        write_text(value, &mut out);
    }
    out.push_str("},\"timestamp\":");
    write_text(&at.rfc3339(), &mut out);
    out.push_str(",\"type\":\"track\"}");
    out
}
