//! Who can sign in: made, changed and removed by whoever may make keys, since somebody who signs in may do what a key may.

use serde_json::{Value, json};
use zhiyin_model::role::{Grant, Operation, Role};
use zhiyin_model::time::Ts;
use zhiyin_store::access::people::{Changed, Person, PersonChange, Standing};

use super::{SignIn, SignInProblem, language, note, password, plain};
use crate::Result;
use crate::boxed;

/// The longest name, in bytes: as long as an e-mail address may be (RFC 5321, 4.5.3.1.3, without its brackets).
const NAME_BYTES_MAX: usize = 254;
/// The most characters of a code of a place or of the staff.
const TEXT_CHARACTERS_MAX: usize = 100;

/// Somebody who is to sign in.
#[derive(Clone, PartialEq, Eq)]
pub struct NewPerson {
    /// By what they sign in.
    pub name: String,
    /// As what they act.
    pub role: Role,
    /// Where.
    pub place: Option<String>,
    /// Their code among the staff.
    pub staff: Option<String>,
    /// In which language they read.
    pub language: String,
    /// Their first password; without one they cannot sign in until they are given one.
    pub password: Option<String>,
}

/// What somebody is from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonEdit {
    /// As what they act.
    pub role: Role,
    /// Where.
    pub place: Option<String>,
    /// Their code among the staff.
    pub staff: Option<String>,
    /// Whether who they are at the provider of sign-in is forgotten: whoever bears their name there next is them.
    pub unlink: bool,
}

fn named(name: &str) -> std::result::Result<String, SignInProblem> {
    let name = name.trim();
    let fits = (1..=NAME_BYTES_MAX).contains(&name.len())
        && name.chars().all(|c| c.is_alphanumeric() || "._-@+ '·".contains(c))
        && name.starts_with(char::is_alphanumeric);
    if fits { Ok(name.to_owned()) } else { Err(SignInProblem::Name) }
}

pub(super) fn placed(edit: &PersonEdit) -> std::result::Result<PersonEdit, SignInProblem> {
    let filled = |text: &Option<String>| {
        text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let (role, place, staff) = (edit.role, filled(&edit.place), filled(&edit.staff));
    if role == Role::Public {
        return Err(SignInProblem::Role(role));
    }
    if role.needs_place() && place.is_none() {
        return Err(SignInProblem::NoPlace(role));
    }
    if role.needs_staff() && staff.is_none() {
        return Err(SignInProblem::NoStaff(role));
    }
    for (field, text) in [("place", &place), ("staff", &staff)] {
        let text = text.as_deref().unwrap_or_default();
        if text.chars().count() > TEXT_CHARACTERS_MAX || text.chars().any(char::is_control) {
            return Err(SignInProblem::Text(field));
        }
    }
    Ok(PersonEdit { role, place, staff, unlink: edit.unlink })
}

fn may(by: &Grant) -> Result<()> {
    by.may(Operation::KeysManage)?;
    if by.covers(None) { Ok(()) } else { Err(SignInProblem::Beyond.into()) }
}

impl SignIn {
    /// Somebody new, checked, with their password hashed; they are not written yet.
    pub(super) async fn new_person(&self, new: &NewPerson, by: &Grant, now: Ts) -> Result<Person> {
        let name = named(&new.name)?;
        let (place, staff) = (new.place.clone(), new.staff.clone());
        let edit = PersonEdit { role: new.role, place, staff, unlink: false };
        let PersonEdit { role, place, staff, .. } = placed(&edit)?;
        let language = language(&new.language)?.to_owned();
        if let Some(password) = &new.password {
            password::checked("password", password, &name)?;
        }
        self.staff_is_free(staff.as_deref(), "").await?;
        let password = match &new.password {
            Some(password) => Some(self.hashed(password, now).await?),
            None => None,
        };
        let id = self.chance::<8>()?.iter().map(|byte| format!("{byte:02x}")).collect();
        let is = Standing {
            name,
            role,
            place,
            staff,
            language,
            made_at: now,
            made_by: by.who.clone(),
            password,
            codes: None,
            offered: None,
            elsewhere: None,
            removed_at: None,
        };
        Ok(Person { id, revision: 0, is })
    }

    /// Two people with one code would be one in the audit log.
    async fn staff_is_free(&self, staff: Option<&str>, except: &str) -> Result<()> {
        let Some(staff) = staff else { return Ok(()) };
        let all = self.people().all().await?;
        let taken = all.iter().any(|person| {
            person.id != except && person.is.removed_at.is_none() && person.is.staff.as_deref() == Some(staff)
        });
        if taken { Err(SignInProblem::StaffTaken.into()) } else { Ok(()) }
    }

    /// Everybody who can sign in, or could once they have a password, by name.
    #[boxed]
    pub async fn everybody(&self) -> Result<Vec<Person>> {
        let all = self.people().all().await?;
        Ok(all.into_iter().filter(|person| person.is.removed_at.is_none()).collect())
    }

    /// Somebody by their id, or by their name.
    #[boxed]
    pub async fn find(&self, text: &str) -> Result<Person> {
        let found = match self.people().person(text).await? {
            Some(person) => Some(person),
            None => self.people().named(text).await?,
        };
        let found = found.filter(|person| person.is.removed_at.is_none());
        Ok(found.ok_or(SignInProblem::Unknown)?)
    }

    async fn change(
        &self,
        (by, before): (&Grant, &Person),
        is: Standing,
        detail: &Value,
        now: Ts,
    ) -> Result<Person> {
        self.somebody_comes_in(before, &is).await?;
        let gives_up = before.is.owns() && !is.owns();
        let person = Person { is, ..before.clone() };
        let note = note(by, Operation::KeysManage.name(), &person.id, detail, now);
        // Whatever of somebody changes here, they sign in anew.
        let change = PersonChange { gives_up, ends_sessions: true, ..plain(person.clone(), note) };
        match self.people().change(change).await? {
            Changed::Done => Ok(Person { revision: person.revision + 1, ..person }),
            Changed::LastOwner => Err(SignInProblem::LastOwner.into()),
            Changed::NameTaken => Err(SignInProblem::NameTaken.into()),
            Changed::Moved | Changed::Owned => Err(SignInProblem::Moved.into()),
        }
    }

    /// Makes somebody who can sign in.
    #[boxed]
    pub async fn add(&self, by: &Grant, new: &NewPerson, now: Ts) -> Result<Person> {
        may(by)?;
        let person = self.new_person(new, by, now).await?;
        let detail = json!({"act": "person_made", "role": person.is.role.name(), "place": person.is.place});
        self.change((by, &person), person.is.clone(), &detail, now).await
    }

    /// Changes as what somebody acts, and where. Their sessions end.
    #[boxed]
    pub async fn edit(&self, by: &Grant, who: &str, edit: &PersonEdit, now: Ts) -> Result<Person> {
        may(by)?;
        let PersonEdit { role, place, staff, unlink } = placed(edit)?;
        let before = self.find(who).await?;
        self.staff_is_free(staff.as_deref(), &before.id).await?;
        let detail = json!({"act": "person_changed", "role": role.name(), "place": place, "unlink": unlink});
        let elsewhere = before.is.elsewhere.clone().filter(|_| !unlink);
        let is = Standing { role, place, staff, elsewhere, ..before.is.clone() };
        self.change((by, &before), is, &detail, now).await
    }

    /// Gives somebody a password; where it is said, codes are not asked of them any more. Their sessions end.
    #[boxed]
    pub async fn reset(
        &self,
        by: &Grant,
        (who, new): (&str, &str),
        without_codes: bool,
        now: Ts,
    ) -> Result<Person> {
        may(by)?;
        let before = self.find(who).await?;
        password::checked("password", new, &before.is.name)?;
        let mut is = Standing { password: Some(self.hashed(new, now).await?), ..before.is.clone() };
        if without_codes {
            (is.codes, is.offered) = (None, None);
        }
        let detail = json!({"act": "password_reset", "without_codes": without_codes});
        self.change((by, &before), is, &detail, now).await
    }

    /// Removes somebody: they cannot sign in any more, from now on, and nobody else gets their name.
    #[boxed]
    pub async fn remove(&self, by: &Grant, who: &str, now: Ts) -> Result<Person> {
        may(by)?;
        let before = self.find(who).await?;
        let is = Standing {
            removed_at: Some(now),
            password: None,
            codes: None,
            offered: None,
            elsewhere: None,
            ..before.is.clone()
        };
        self.change((by, &before), is, &json!({"act": "person_removed"}), now).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Detail, Target, line};

    #[test]
    fn an_e_mail_of_any_length_is_a_name_and_who_signs_in_by_it_is_written_down() {
        let (local, domain) = ("a".repeat(64), format!("{}.example", "b".repeat(181)));
        let email = format!("{local}@{domain}");
        assert_eq!((email.len(), named(&email)), (254, Ok(email.clone())));
        assert_eq!(named(&format!("{email}b")), Err(SignInProblem::Name));
        assert_eq!(named(&"李".repeat(84)), Ok("李".repeat(84)));
        assert_eq!(named(&"李".repeat(85)), Err(SignInProblem::Name));
        let by = Grant { who: format!("person:{email}"), ..Grant::system("") };
        assert_eq!(zhiyin_model::place::read_by(&by.who).as_ref(), Ok(&by.who));
        let (operation, target) = (Operation::KeysManage, Target::code(email));
        let said = line(&by, operation, &target, crate::audit::Outcome::Done, &Detail::new(), Ts(1));
        assert_eq!(said.map(|note| note.who).ok(), Some(by.who));
    }
}
