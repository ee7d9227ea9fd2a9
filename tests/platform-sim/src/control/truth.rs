//! What is so: for tests that compare an engine's record with it, and for the page.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::world::World;
use crate::world::types::Relation;

/// A part by its name.
type Part = (&'static str, fn(&World) -> Value);

impl World {
    /// All of it, or one part by its name.
    pub fn truth(&self, part: Option<&str>) -> Value {
        let parts: [Part; 20] = [
            ("clock", Self::told_clock),
            ("apps", |world| {
                let row = |(agent, app): (&i64, &crate::world::types::App)| json!({"agentid": agent, "name": app.name, "contact": app.is_contact, "has_callback": app.callback.is_some()});
                world.apps.iter().map(row).collect()
            }),
            ("media", |world| {
                let row = |(id, of): (&String, &crate::world::types::Media)| json!({"media_id": id, "kind": of.kind, "n_bytes": of.n_bytes, "created_ms": of.created_ms});
                world.media.iter().map(row).collect()
            }),
            ("staff", Self::told_staff),
            ("relations", Self::told_relations),
            ("unassigned", |world| {
                world
                    .unassigned
                    .keys()
                    .map(|(userid, external)| json!({"userid": userid, "customer": external}))
                    .collect()
            }),
            ("tags", Self::told_tags),
            ("chats", Self::told_chats),
            ("ways", Self::told_ways),
            ("welcomes", Self::told_welcomes),
            ("masses", Self::told_masses),
            ("moments", Self::told_moments),
            ("transfers", Self::told_transfers),
            ("phones", Self::told_phones),
            ("pay", Self::told_pay),
            ("shops", Self::told_shops),
            ("sms", Self::told_sms),
            ("wechat", Self::told_wechat),
            ("quotas", |world| world.meters.told()),
            ("traffic", |world| {
                json!({
                    "calls": world.calls.told(), "callbacks": world.queue.told(), "violations": world.violations,
                    "n_violations": world.n_violations,
                })
            }),
        ];
        match part {
            Some(name) => {
                parts.iter().find(|(own, _)| *own == name).map_or(Value::Null, |(_, told)| told(self))
            }
            None => parts.iter().map(|(name, told)| ((*name).to_owned(), told(self))).collect(),
        }
    }

    fn told_staff(&self) -> Value {
        let rows = self.staff.iter().map(|(userid, staff)| {
            json!({
                "userid": userid, "name": staff.name, "follower": staff.is_follower, "left_ms": staff.left_ms,
                "n_customers": self.n_customers(userid), "inbox": staff.inbox,
            })
        });
        rows.collect()
    }

    fn told_relations(&self) -> Value {
        let row = |((userid, external), relation): (&(String, String), &Relation)| {
            json!({
                "userid": userid, "customer": external, "remark": relation.remark, "description": relation.description,
                "state": relation.state, "add_way": relation.add_way, "created_ms": relation.created_ms,
                "tags": relation.tags, "half": relation.is_half, "blocked": relation.is_blocked,
            })
        };
        self.relations.iter().map(row).collect()
    }

    fn told_tags(&self) -> Value {
        let rows = self.tags.iter().map(|(id, tag)| {
            let group = self.tag_groups.get(&tag.group).map(|group| &group.name);
            json!({"tag_id": id, "name": tag.name, "group_id": tag.group, "group": group, "made_by": tag.made_by})
        });
        rows.collect()
    }

    fn told_chats(&self) -> Value {
        let rows = self.chats.iter().map(|(chat_id, chat)| {
            let members: BTreeMap<&String, Value> = chat
                .now
                .members
                .iter()
                .map(|(who, of)| (who, json!({"type": of.kind, "joined_ms": of.joined_ms, "scene": of.scene, "state": of.state})))
                .collect();
            json!({
                "chat_id": chat_id, "name": chat.now.name, "owner": chat.now.owner, "notice": chat.now.notice,
                "dismissed": chat.is_dismissed, "members": members,
                "member_version": chat.now.version_text(chat_id), "n_received": chat.received.len(),
            })
        });
        rows.collect()
    }

    fn told_ways(&self) -> Value {
        let ways =
            self.ways.iter().map(|(id, way)| json!({"config_id": id, "users": way.users, "body": way.body}));
        let joins = self
            .join_ways
            .iter()
            .map(|(id, way)| json!({"config_id": id, "chats": way.chats, "body": way.body}));
        json!({"contact": ways.collect::<Vec<_>>(), "join": joins.collect::<Vec<_>>()})
    }

    fn told_welcomes(&self) -> Value {
        let lives_ms = self.limits.of(crate::limits::Rule::WelcomeCodeMs);
        let rows = self.welcomes.iter().map(|(code, welcome)| {
            json!({
                "welcome_code": code, "userid": welcome.staff, "customer": welcome.external,
                "issued_ms": welcome.issued_ms, "expires_ms": welcome.issued_ms + lives_ms,
                "arrived_ms": welcome.arrived_ms, "sent_ms": welcome.used.map(|used| used.0),
                "sent_by": welcome.used.map(|used| used.1), "n_refused": welcome.n_refused,
            })
        });
        rows.collect()
    }

    fn told_masses(&self) -> Value {
        let rows = self.masses.iter().map(|(msgid, mass)| {
            let tasks: BTreeMap<&String, Value> = mass
                .tasks
                .iter()
                .map(|(userid, task)| {
                    (userid, json!({"sent_ms": task.sent_ms, "targets": task.targets, "results": task.results}))
                })
                .collect();
            json!({
                "msgid": msgid, "chat_type": mass.chat_type, "created_ms": mass.created_ms, "content": mass.content,
                "cancelled": mass.is_cancelled, "tasks": tasks,
            })
        });
        rows.collect()
    }

    fn told_moments(&self) -> Value {
        let rows = self.moments.iter().map(|(moment_id, moment)| {
            let tasks: BTreeMap<&String, Value> = moment
                .tasks
                .iter()
                .map(|(userid, task)| {
                    let (at_ms, seen) = task.as_ref().map_or((None, &[][..]), |(at_ms, seen)| (Some(at_ms), &seen[..]));
                    (userid, json!({"published_ms": at_ms, "seen_by": seen}))
                })
                .collect();
            json!({
                "moment_id": moment_id, "jobid": moment.job, "created_ms": moment.created_ms, "tags": moment.tags,
                "content": moment.content, "cancelled": moment.is_cancelled, "tasks": tasks,
            })
        });
        rows.collect()
    }

    fn told_transfers(&self) -> Value {
        let rows = self.transfers.values().map(|of| {
            json!({
                "from": of.from, "to": of.to, "customer": of.external, "resigned": of.is_resigned, "due_ms": of.due_ms,
                "status": of.status,
            })
        });
        rows.collect()
    }

    fn told_phones(&self) -> Value {
        self.phones.keys().filter_map(|external| self.told_phone(external)).collect()
    }

    /// One phone: who it is of and all that arrived.
    pub fn told_phone(&self, external: &str) -> Option<Value> {
        let phone = self.phones.get(external)?;
        let inbox: Vec<Value> = phone.inbox.iter().map(|received| received.told()).collect();
        Some(json!({
            "external_userid": external, "name": phone.name, "unionid": phone.unionid, "openid": phone.openid,
            "staff": phone.staff, "chats": phone.chats, "n_received": phone.n_received, "inbox": inbox, "said": phone.said,
        }))
    }

    /// What the page shows: the latest of a few phones, and what one can do.
    pub fn page(&self) -> Value {
        let phones: Vec<Value> = self
            .phones
            .iter()
            .take(12)
            .map(|(external, phone)| {
                let skip = phone.inbox.len().saturating_sub(30);
                let inbox: Vec<Value> = phone.inbox.iter().skip(skip).map(|received| received.told()).collect();
                json!({
                    "id": external, "name": phone.name, "staff": phone.staff, "chats": phone.chats, "inbox": inbox,
                    "said": phone.said.iter().rev().take(30).rev().collect::<Vec<_>>(), "n": phone.n_received,
                })
            })
            .collect();
        let names: BTreeMap<&String, &String> =
            self.staff.iter().take(500).map(|(id, of)| (id, &of.name)).collect();
        let chats: BTreeMap<&String, Value> = self
            .chats
            .iter()
            .take(100)
            .map(|(id, chat)| (id, json!({"name": chat.now.name, "n": chat.now.members.len()})))
            .collect();
        json!({
            "clock": self.told_clock(), "n_phones": self.phones.len(), "phones": phones, "staff": names, "chats": chats,
            "kfs": self.kfs.iter().take(5).map(|(id, kf)| (id, &kf.name)).collect::<BTreeMap<_, _>>(),
            "ways": self.ways.keys().take(20).collect::<Vec<_>>(),
            "wechat": self.wechat_page(), "wechat_apps": self.wechat_page_apps(),
            "join_ways": self.join_ways.keys().take(20).collect::<Vec<_>>(), "sms": self.sms_page(),
        })
    }
}
