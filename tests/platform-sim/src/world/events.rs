//! Events as the platform writes them: XML with CDATA, one shape an event, and who is told.

use super::World;
use super::types::Due;

/// A value in an event.
pub enum Part<'a> {
    /// A text, as CDATA.
    Text(&'a str, &'a str),
    /// A number.
    Number(&'a str, i64),
    /// A list of items.
    Items(&'a str, &'a [String]),
}

/// Who is told of an event.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// Apps that may call the APIs of customer contact.
    Contact,
    /// All apps.
    All,
}

impl World {
    /// Tells apps that something happened: writes the event, lets faults have their way and sets deliveries due.
    pub fn emit(
        &mut self,
        told: Told,
        event: &str,
        change: Option<&str>,
        parts: &[Part<'_>],
        welcome: Option<&str>,
    ) {
        let xml = self.xml(event, change, parts);
        let label = change.map_or_else(|| event.to_owned(), |change| format!("{event}/{change}"));
        let agents: Vec<i64> = self
            .apps
            .iter()
            .filter(|(_, app)| app.callback.is_some() && (told == Told::All || app.is_contact))
            .map(|(agent, _)| *agent)
            .collect();
        for agent in agents {
            let fate = self.faults.callback_fate();
            let delays = self.queue.add(self.now_ms, agent, &label, &xml, welcome, &fate);
            for (id, delay_ms) in delays {
                self.at(self.now_ms + delay_ms, Due::Deliver(id));
            }
        }
    }

    fn xml(&self, event: &str, change: Option<&str>, parts: &[Part<'_>]) -> String {
        let mut xml = String::from("<xml>");
        text(&mut xml, "ToUserName", &self.corpid);
        text(&mut xml, "FromUserName", "sys");
        number(&mut xml, "CreateTime", self.now_ms.div_euclid(1_000));
        text(&mut xml, "MsgType", "event");
        text(&mut xml, "Event", event);
        if let Some(change) = change {
            text(&mut xml, "ChangeType", change);
        }
        for part in parts {
            match part {
                Part::Text(name, value) => text(&mut xml, name, value),
                Part::Number(name, value) => number(&mut xml, name, *value),
                Part::Items(name, items) => {
                    xml.push_str(&format!("<{name}>"));
                    for item in *items {
                        text(&mut xml, "Item", item);
                    }
                    xml.push_str(&format!("</{name}>"));
                }
            }
        }
        xml.push_str("</xml>");
        xml
    }
}

/// What ends CDATA inside a value is cut in two, as XML wants it.
fn text(xml: &mut String, name: &str, value: &str) {
    let value = value.replace("]]>", "]]]]><![CDATA[>");
    xml.push_str(&format!("<{name}><![CDATA[{value}]]></{name}>"));
}

fn number(xml: &mut String, name: &str, value: i64) {
    xml.push_str(&format!("<{name}>{value}</{name}>"));
}
