//! Coupons that also lie in members' WeChat card packs (商家券): a row for each, kept the same as the coupon here.
//!
//! ```text
//!            here                          there
//!  issued   ──────────────────────────▶  sent under its code
//!  used at the till, given back, over ─▶  used, returned, deactivated
//!  used     ◀──────────────────────────  used in WeChat
//!  issued   ◀──────────────────────────  taken in WeChat (its stock goes with an offer)
//! ```
//!
//! What changes here is read from the change feed; what changes there is looked at, since the platform tells of what was taken only (and where no notice does, whole card packs are looked at: `wallets`). Where a
//! coupon stands here is its books' word; a row says where it was seen last there. Whatever is said names a number of the coupon's own, by
//! which it is done once, so what got lost is said again.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::json;
use zhiyin_model::coupon::{Coupon, CouponAccount, CouponCode, CouponMoveKind};
use zhiyin_model::event::{Identifier, names};
use zhiyin_model::id::{CouponId, EventId, MemberId};
use zhiyin_model::identifier::normalise;
use zhiyin_model::time::Ts;
use zhiyin_reach::platform::{Answer, Trouble, Whose};
use zhiyin_reach::wxpay::CHANNEL;
use zhiyin_reach::wxpay::coupon::{Lies, PackCoupon};
use zhiyin_reach::wxpay::news::IntoPack;
use zhiyin_store::campaigns::mirror::{Reflect, Reflection, ReflectionId, reflection_id};
use zhiyin_store::{StoreError, seal};

use super::Merchant;
use crate::platforms::Round;
use crate::{Engine, Result, boxed};

/// How many are looked at in a round.
const AT_ONCE: usize = 50;
/// How long one process has what it looks at, in microseconds.
const LENT_US: i64 = 60_000_000;
/// How many entries of the change feed are read in a round, and how many members of them are looked up at a time.
const ENTRIES: usize = 4;
const MEMBERS_AT_ONCE: usize = 256;
/// How many coupons of a member are seen.
const COUPONS_SEEN: usize = 200;
/// How soon something that did not go through is tried again, in microseconds, and how soon what only people can put right.
const AGAIN_US: i64 = 5_000_000;
const PEOPLE_US: i64 = 3_600_000_000;
/// How soon one that can be used is looked at again, in microseconds: a quarter of how long it lies there already.
const LOOK_US: i64 = 60_000_000;
const LOOK_US_MAX: i64 = 6 * 3_600_000_000;
/// How long a coupon that was taken in WeChat is waited for, in microseconds, until it was decided here.
const DECIDED_US: i64 = 3 * 86_400_000_000;
/// What kind of row it is.
const KIND: &str = "pack";

/// Where a coupon was seen last in its card pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PackStage {
    /// It is to be put there.
    Wanted,
    /// It can be used there.
    Sent,
    /// It was used.
    Used,
    /// It cannot be used there any more.
    Ended,
    /// It was never there, and will not be.
    Refused,
}

/// A coupon in a card pack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Packed {
    /// Which, here.
    pub coupon: String,
    /// Its code there.
    pub code: String,
    /// Of which stock.
    pub stock: String,
    /// In which app its owner is known, as a namespace of names.
    pub namespace: String,
    /// Whose.
    pub openid: String,
    /// Where it was seen last.
    pub stage: PackStage,
    /// Since when there is a row.
    pub since: Ts,
    /// By which number it was used in WeChat, as far as that was told here.
    pub used_by: String,
    /// Why it does not stand as it should, by a name.
    pub why: Option<String>,
}

/// A row as it was read.
struct Row {
    id: ReflectionId,
    version: i64,
    packed: Packed,
}

/// How a coupon stands here, as far as a card pack is to show it.
struct Here {
    lies: Lies,
    is_locked: bool,
    member: MemberId,
    offer: String,
    /// How often it was used so far, and how often that came back.
    used: usize,
    back: usize,
}

fn damaged(what: &str) -> StoreError {
    StoreError::Damaged(format!("a coupon of a card pack: {what}"))
}

fn opened(found: Reflection) -> Result<Option<Row>> {
    let body = match seal::open(&found.body) {
        // Whoever was erased is followed no more.
        Err(StoreError::Erased) => return Ok(None),
        body => body?,
    };
    let packed = serde_json::from_str(&body).map_err(|error| damaged(&error.to_string()))?;
    Ok(Some(Row { id: found.id, version: found.version, packed }))
}

/// Where a coupon is to lie.
const fn wanted(account: CouponAccount) -> Lies {
    match account {
        CouponAccount::Held | CouponAccount::Locked => Lies::Sent,
        CouponAccount::Redeemed => Lies::Used,
        CouponAccount::Stock | CouponAccount::Expired | CouponAccount::Withdrawn => Lies::Ended,
    }
}

impl PackStage {
    const fn shows(self, lies: Lies) -> bool {
        matches!(
            (self, lies),
            (Self::Sent, Lies::Sent)
                | (Self::Used, Lies::Used)
                | (Self::Ended, Lies::Ended)
                | (Self::Refused, _)
        )
    }
}

impl From<Lies> for PackStage {
    fn from(lies: Lies) -> Self {
        match lies {
            Lies::Sent => Self::Sent,
            Lies::Used => Self::Used,
            Lies::Ended => Self::Ended,
        }
    }
}

impl Packed {
    fn there(&self) -> PackCoupon {
        PackCoupon { code: self.code.clone(), stock: self.stock.clone(), openid: self.openid.clone() }
    }

    /// A number of the coupon's own, for what is said of it.
    fn number(&self, what: &str) -> String {
        format!("{}-{what}", self.coupon)
    }

    /// Whether that it was used there by this number is known here: it was used here first, or that was told here.
    fn knows(&self, used_by: &str) -> bool {
        let ours = used_by.strip_prefix(self.coupon.as_str());
        ours.is_some_and(|rest| rest.starts_with("-u")) || (!used_by.is_empty() && self.used_by == used_by)
    }
}

impl Engine {
    /// Follows what changes here, and does what is due in card packs.
    #[boxed]
    pub(super) async fn pack_round(&self, merchant: &Merchant, wall: Ts) -> Result<Round> {
        let mut done = self.follow_coupons(merchant, wall).await?;
        let mirror = self.store().coupons().campaigns().mirror();
        let kind = format!("{CHANNEL}:{}:{KIND}", merchant.account);
        let lent = mirror.lend_reflections(&kind, wall, wall.plus_us(LENT_US), AT_ONCE).await?;
        for found in lent {
            let Some(row) = opened(found)? else { continue };
            let before = row.packed.stage;
            done += usize::from(self.move_pack(merchant, row, wall).await? != before);
        }
        Ok(Round { done, next: mirror.next_reflection(&kind).await? })
    }

    /// Reads the next entries of the change feed; how many. Who sends no coupons follows nothing, and holds up nobody's forgetting.
    async fn follow_coupons(&self, merchant: &Merchant, wall: Ts) -> Result<usize> {
        let consumer = format!("{CHANNEL}-{}-{KIND}", merchant.account);
        let followed = self.store().crowd().followed(&consumer).await?;
        let stocks = merchant.pay.stocks();
        let Some(appid) = merchant.pay.coupon_appid().filter(|_| !stocks.is_empty()) else {
            if followed.is_some() {
                self.store().crowd().unfollow(&consumer).await?;
            }
            return Ok(0);
        };
        // Who is new is written down; who is known only reads, however often.
        let from = match followed {
            Some(from) => from,
            None => self.store().feed_position(&consumer).await?,
        };
        let entries = self.store().feed(from, ENTRIES).await?;
        let Some(last) = entries.last().map(|entry| entry.position) else { return Ok(0) };
        let n = entries.len();
        let members: BTreeSet<MemberId> = entries.into_iter().flat_map(|entry| entry.members).collect();
        let members: Vec<MemberId> = members.into_iter().collect();
        let namespace = format!("openid:{appid}");
        for some in members.chunks(MEMBERS_AT_ONCE) {
            let named = self.store().identifiers_of(some.to_vec()).await?;
            // Of several names in the app the first one has the card pack, whoever looks.
            let mut openids: BTreeMap<MemberId, String> = BTreeMap::new();
            for (member, _, value) in named.into_iter().filter(|(_, known, _)| *known == namespace) {
                openids.entry(member).or_insert(value);
            }
            let all: BTreeSet<String> = openids.values().cloned().collect();
            self.wallets_due(&merchant.account, (&namespace, &all), wall).await?;
            for (member, openid) in openids {
                let coupons = self.store().coupons().coupons_of(member, COUPONS_SEEN).await?;
                for coupon in coupons {
                    if let Some(stock) = stocks.get(&coupon.offer) {
                        let whose = (namespace.as_str(), openid.as_str());
                        self.coupon_changed(&merchant.account, (&coupon, stock, whose), wall).await?;
                    }
                }
            }
        }
        self.store().feed_done(&consumer, last).await?;
        Ok(n)
    }

    /// A coupon is new or may have moved: it has a row, which is due where it stands elsewhere there.
    async fn coupon_changed(
        &self,
        account: &str,
        (coupon, stock, (namespace, openid)): (&Coupon, &str, (&str, &str)),
        wall: Ts,
    ) -> Result<()> {
        let wanted = wanted(coupon.account);
        let hex = coupon.id.to_string();
        // Whoever writes the row meanwhile may not have seen this: it is read again until it was.
        loop {
            let row = self.pack_row(account, &hex).await?;
            let (read, packed) = match row {
                Some(row) if row.packed.stage.shows(wanted) => return Ok(()),
                Some(row) => ((row.id, row.version), row.packed),
                None if wanted != Lies::Sent => return Ok(()),
                None => {
                    let key = self.home().await?.id_key;
                    let code = coupon.code(&key).to_string().replace('-', "");
                    let packed = Packed {
                        coupon: hex.clone(),
                        code,
                        stock: stock.to_owned(),
                        namespace: namespace.to_owned(),
                        openid: openid.to_owned(),
                        stage: PackStage::Wanted,
                        since: wall,
                        used_by: String::new(),
                        why: None,
                    };
                    ((self.pack_id(account, &hex).await?, 0), packed)
                }
            };
            if self.keep_pack(account, read, &packed, Some(wall)).await? {
                return Ok(());
            }
            if self.is_erased(read.0).await? {
                return Ok(());
            }
        }
    }

    /// A coupon came into somebody's card pack: one of ours is there, or theirs is issued here.
    #[boxed]
    pub(crate) async fn came_into_pack(
        &self,
        account: &str,
        one: &IntoPack,
        wall: Ts,
    ) -> Result<Option<&'static str>> {
        let home = self.home().await?;
        if let Some(code) = CouponCode::typed(&one.code) {
            let id = code.id(&home.id_key);
            if self.store().coupons().coupon(id).await?.is_some() {
                if let Some(row) = self.pack_row(account, &id.to_string()).await? {
                    // Whoever holds it looks at it now, or will.
                    let _is_mine =
                        self.keep_pack(account, (row.id, row.version), &row.packed, Some(wall)).await?;
                }
                return Ok(None);
            }
        }
        // Which coupon it is here follows from what issues it, so its row is there first and nothing is sent for it.
        let message = format!("pack-{}-{}", one.stock, one.code);
        let source = format!("{}{CHANNEL}", crate::sends::SOURCE);
        let cause: EventId = home.id_key.derive("event", &[source.as_bytes(), message.as_bytes()]);
        let id = CouponCode::of(&home.id_key, cause, &one.offer, 0).id(&home.id_key);
        let packed = Packed {
            coupon: id.to_string(),
            code: one.code.clone(),
            stock: one.stock.clone(),
            namespace: one.whose.0.clone(),
            openid: one.whose.1.clone(),
            stage: PackStage::Sent,
            since: wall,
            used_by: String::new(),
            why: None,
        };
        let row = self.pack_id(account, &packed.coupon).await?;
        // One that is there already is the same.
        let _is_new = self.keep_pack(account, (row, 0), &packed, Some(wall.plus_us(LOOK_US))).await?;
        let at = Ts(one.at.saturating_mul(1_000_000)).plus_us(home.offset_us);
        let item = json!({
            "type": "track", "event": names::COUPON_ISSUED, "messageId": message, "timestamp": at.rfc3339(),
            "context": {"externalIds": [{"id": one.whose.1, "type": one.whose.0}]},
            "properties": {"offer": one.offer, "stock": one.stock},
        });
        self.put(CHANNEL, &[item.to_string().into_bytes()]).await
    }

    /// Where a coupon was seen last in its owner's card pack.
    #[boxed]
    pub async fn packed(&self, account: &str, coupon: CouponId) -> Result<Option<Packed>> {
        Ok(self.pack_row(account, &coupon.to_string()).await?.map(|row| row.packed))
    }

    async fn pack_id(&self, account: &str, coupon: &str) -> Result<ReflectionId> {
        Ok(reflection_id(&self.home().await?.id_key, (CHANNEL, account), KIND, &[coupon]))
    }

    async fn pack_row(&self, account: &str, coupon: &str) -> Result<Option<Row>> {
        let id = self.pack_id(account, coupon).await?;
        let found = self.store().coupons().campaigns().mirror().reflections(vec![id]).await?.pop();
        found.map_or(Ok(None), opened)
    }

    async fn is_erased(&self, id: ReflectionId) -> Result<bool> {
        let found = self.store().coupons().campaigns().mirror().reflections(vec![id]).await?.pop();
        Ok(found.is_some_and(|row| matches!(seal::open(&row.body), Err(StoreError::Erased))))
    }

    /// Writes a row, if it still is as it was read; whether it was.
    async fn keep_pack(
        &self,
        account: &str,
        (id, read): (ReflectionId, i64),
        packed: &Packed,
        due: Option<Ts>,
    ) -> Result<bool> {
        let key = self.home().await?.id_key;
        let namespace = packed.namespace.clone();
        let about = match normalise(&namespace, &packed.openid) {
            Ok(value) => seal::lookup(&key, &Identifier { namespace, value }),
            Err(_) => key.digest("reflection", &[id.bytes()]),
        };
        let body = serde_json::to_string(packed).map_err(|error| damaged(&error.to_string()))?;
        let kind = format!("{CHANNEL}:{account}:{KIND}");
        let part = reflection_id(&key, (CHANNEL, account), KIND, &[]);
        let row = Reflect { id, read, kind, part, due, about, body: seal::seal(&body) };
        let written = self.store().coupons().campaigns().mirror().reflect(vec![row]).await?;
        Ok(written.first().copied().unwrap_or_default())
    }

    /// How a coupon stands here; nothing where it is not there.
    async fn here(&self, coupon: &str) -> Result<Option<Here>> {
        let id = CouponId::from_hex(coupon).ok_or_else(|| damaged("no id"))?;
        // How it moved is read first: what moves in between makes it due again.
        let moves = self.store().coupons().coupon_moves(id).await?;
        let Some(coupon) = self.store().coupons().coupon(id).await? else { return Ok(None) };
        let n = |kinds: &[CouponMoveKind]| moves.iter().filter(|line| kinds.contains(&line.kind)).count();
        Ok(Some(Here {
            lies: wanted(coupon.account),
            is_locked: coupon.account == CouponAccount::Locked,
            member: coupon.member,
            offer: coupon.offer,
            used: n(&[CouponMoveKind::Redeem]),
            back: n(&[CouponMoveKind::Return, CouponMoveKind::Lapse]),
        }))
    }

    /// Does what is to be done about one; where it stands then.
    async fn move_pack(&self, merchant: &Merchant, row: Row, wall: Ts) -> Result<PackStage> {
        let Row { id, version, mut packed } = row;
        let age_us = wall.0 - packed.since.0;
        let look = wall.plus_us((age_us / 4).clamp(LOOK_US, LOOK_US_MAX));
        let again = wall.plus_us((age_us / 4).clamp(AGAIN_US, PEOPLE_US));
        let due = match self.here(&packed.coupon).await? {
            // It was taken in WeChat, and is not decided here yet; or what issued it was refused.
            None if age_us < DECIDED_US => Some(again),
            None => {
                packed.why = Some("not_issued".to_owned());
                None
            }
            Some(here) => match self.pack_step(merchant, &mut packed, &here, wall).await? {
                Ok(()) => {
                    packed.why = None;
                    // Of one that can be used nobody tells when it is.
                    match packed.stage.shows(here.lies) {
                        true => (packed.stage == PackStage::Sent).then_some(look),
                        false => Some(again),
                    }
                }
                Err(trouble) => {
                    packed.why = Some(trouble.why().to_owned());
                    match trouble {
                        Trouble::Never { whose: Whose::Settings | Whose::Account | Whose::Spent, .. } => {
                            Some(wall.plus_us(PEOPLE_US))
                        }
                        Trouble::Never { .. } | Trouble::Wrong { .. }
                            if packed.stage == PackStage::Wanted =>
                        {
                            packed.stage = PackStage::Refused;
                            None
                        }
                        _ => Some(again),
                    }
                }
            },
        };
        // Where somebody wrote it meanwhile it is looked at again, and all that was said is known by its number.
        let _is_mine = self.keep_pack(&merchant.account, (id, version), &packed, due).await?;
        Ok(packed.stage)
    }

    /// One step towards both being the same.
    async fn pack_step(
        &self,
        merchant: &Merchant,
        packed: &mut Packed,
        here: &Here,
        wall: Ts,
    ) -> Result<Answer<()>> {
        let (pay, there) = (&merchant.pay, packed.there());
        if packed.stage == PackStage::Wanted && here.lies == Lies::Sent {
            return Ok(match pay.send_coupon(&there, &packed.number("s")).await {
                // Somebody has it by this code: whether it is theirs is looked at next.
                Ok(()) | Err(Trouble::Never { whose: Whose::Already, .. }) => {
                    packed.stage = PackStage::Sent;
                    Ok(())
                }
                Err(trouble) => Err(trouble),
            });
        }
        let shown = match pay.coupon_in_pack(&there).await {
            Ok(Some(shown)) => shown,
            Ok(None) => {
                // It never came there: it is sent, or, where it is over here, that is all.
                packed.stage = match here.lies {
                    Lies::Sent => PackStage::Wanted,
                    over => over.into(),
                };
                return Ok(Ok(()));
            }
            Err(trouble) => return Ok(Err(trouble)),
        };
        packed.stage = shown.lies.into();
        let said = match (shown.lies, here.lies) {
            (Lies::Sent, Lies::Used) => {
                pay.use_coupon(&there, &packed.number(&format!("u{}", here.used))).await
            }
            (Lies::Sent, Lies::Ended) => pay.end_coupon(&there, &packed.number("d")).await,
            (Lies::Used, Lies::Sent) if packed.knows(&shown.used_by) => {
                if here.used == 0 || here.used != here.back {
                    // It moved while it was read: it is looked at again.
                    return Ok(Ok(()));
                }
                pay.return_coupon(&there, &packed.number(&format!("r{}", here.back))).await
            }
            (Lies::Used, Lies::Sent) => {
                // It was used in WeChat. While a till holds it, the till says first what becomes of it.
                if !here.is_locked {
                    self.used_in_wechat(&packed.coupon, here, &shown.used_by, wall).await?;
                }
                return Ok(Ok(()));
            }
            (Lies::Used, Lies::Used) => {
                packed.used_by.clone_from(&shown.used_by);
                return Ok(Ok(()));
            }
            (Lies::Sent, Lies::Sent) | (Lies::Ended, Lies::Ended) => return Ok(Ok(())),
            // Its time is over in one of both: what was used or ended stays so.
            (Lies::Used, Lies::Ended) | (Lies::Ended, Lies::Sent | Lies::Used) => {
                packed.stage = here.lies.into();
                return Ok(Ok(()));
            }
        };
        if said.is_ok() {
            packed.stage = here.lies.into();
        }
        Ok(said)
    }

    /// What was used in WeChat is used here, once.
    async fn used_in_wechat(&self, coupon: &str, here: &Here, used_by: &str, wall: Ts) -> Result<()> {
        let home = self.home().await?;
        let whom = crate::command::Whom::Id(here.member);
        let Ok(name) = self.name_of(&whom, here.member, "coupon").await? else { return Ok(()) };
        let at = wall.plus_us(home.offset_us);
        let known_by: String = home
            .id_key
            .digest("pack use", &[used_by.as_bytes()])
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        let item = json!({
            "type": "track", "event": names::COUPON_REDEEMED, "messageId": format!("used-{coupon}-{known_by}"),
            "timestamp": at.rfc3339(), "context": {"externalIds": [{"id": name.value, "type": name.namespace}]},
            "properties": {"coupon_id": coupon, "offer": here.offer, "channel": CHANNEL},
        });
        if let Some(why) = self.put(CHANNEL, &[item.to_string().into_bytes()]).await? {
            tracing::warn!(why, "a coupon that was used in WeChat is not used here");
        }
        Ok(())
    }
}
