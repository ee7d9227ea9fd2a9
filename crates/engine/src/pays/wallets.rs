//! Whole card packs, looked at so that what was taken in WeChat is found though no notice told it: of whoever something happened with here, at
//! most once a day. A row for each openid says when that was.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use zhiyin_model::event::Identifier;
use zhiyin_model::identifier::normalise;
use zhiyin_model::time::{DAY_US, Ts};
use zhiyin_reach::platform::Trouble;
use zhiyin_reach::wxpay::CHANNEL;
use zhiyin_reach::wxpay::news::IntoPack;
use zhiyin_store::campaigns::mirror::{Reflect, ReflectionId, reflection_id};
use zhiyin_store::{StoreError, seal};

use super::Merchant;
use crate::platforms::Round;
use crate::{Engine, Result, boxed};

/// How many are looked at in a round.
const AT_ONCE: usize = 20;
/// How long one process has what it looks at, in microseconds: so soon it is tried again, too.
const LENT_US: i64 = 60_000_000;
/// What kind of row it is.
const KIND: &str = "wallet";

/// A card pack.
#[derive(Debug, Serialize, Deserialize)]
struct Wallet {
    /// In which app its owner is known, as a namespace of names.
    namespace: String,
    /// Whose.
    openid: String,
    /// When it was looked at last.
    looked: Option<Ts>,
}

impl Engine {
    /// Something happened with these openids of an app: who was not looked at within a day is due.
    pub(super) async fn wallets_due(
        &self,
        account: &str,
        (namespace, openids): (&str, &BTreeSet<String>),
        wall: Ts,
    ) -> Result<()> {
        let (mirror, key) = (self.store().coupons().campaigns().mirror(), self.home().await?.id_key);
        let id = |openid: &str| reflection_id(&key, (CHANNEL, account), KIND, &[openid]);
        let known = mirror.reflections(openids.iter().map(|openid| id(openid)).collect()).await?;
        let known: std::collections::BTreeMap<ReflectionId, _> =
            known.into_iter().map(|row| (row.id, row)).collect();
        let mut rows = Vec::new();
        for openid in openids {
            let (id, mut wallet) = (id(openid), Wallet::of(namespace, openid));
            let read = match known.get(&id) {
                None => 0,
                Some(row) if row.due.is_some() => continue,
                Some(row) => {
                    let Some(was) = Wallet::opened(&row.body)? else { continue };
                    if was.looked.is_some_and(|at| wall.0 - at.0 < DAY_US) {
                        continue;
                    }
                    wallet.looked = was.looked;
                    row.version
                }
            };
            rows.push(self.wallet_row(account, (id, read), &wallet, Some(wall)).await?);
        }
        // Whoever wrote one meanwhile made it due as well, or looked at it.
        drop(mirror.reflect(rows).await?);
        Ok(())
    }

    async fn wallet_row(
        &self,
        account: &str,
        (id, read): (ReflectionId, i64),
        wallet: &Wallet,
        due: Option<Ts>,
    ) -> Result<Reflect> {
        let key = self.home().await?.id_key;
        let namespace = wallet.namespace.clone();
        let about = match normalise(&namespace, &wallet.openid) {
            Ok(value) => seal::lookup(&key, &Identifier { namespace, value }),
            Err(_) => key.digest("reflection", &[id.bytes()]),
        };
        let body = serde_json::to_string(wallet).map_err(|error| damaged(&error))?;
        let kind = format!("{CHANNEL}:{account}:{KIND}");
        let part = reflection_id(&key, (CHANNEL, account), KIND, &[]);
        Ok(Reflect { id, read, kind, part, due, about, body: seal::seal(&body) })
    }

    /// Looks at card packs that are due.
    #[boxed]
    pub(super) async fn wallet_round(&self, merchant: &Merchant, wall: Ts) -> Result<Round> {
        let mirror = self.store().coupons().campaigns().mirror();
        let kind = format!("{CHANNEL}:{}:{KIND}", merchant.account);
        let lent = mirror.lend_reflections(&kind, wall, wall.plus_us(LENT_US), AT_ONCE).await?;
        let mut done = 0;
        for row in lent {
            let Some(mut wallet) = Wallet::opened(&row.body)? else { continue };
            match merchant.pay.coupons_in_pack(&wallet.openid).await {
                Ok(found) => {
                    for one in found {
                        let of = merchant.pay.stocks().iter().find(|(_, stock)| **stock == one.stock);
                        let (Some((offer, stock)), Some(at)) = (of, one.at) else { continue };
                        let one = IntoPack {
                            offer: offer.clone(),
                            stock: stock.clone(),
                            code: one.code,
                            whose: (wallet.namespace.clone(), wallet.openid.clone()),
                            at,
                        };
                        if let Some(why) = self.came_into_pack(&merchant.account, &one, wall).await? {
                            tracing::warn!(why, "a coupon that was taken in WeChat is not issued here");
                        }
                    }
                }
                // It is lent to somebody once more.
                Err(Trouble::Later { .. } | Trouble::Unknown { .. }) => continue,
                Err(trouble) => tracing::warn!(?merchant, %trouble, "a card pack cannot be looked at"),
            }
            done += 1;
            wallet.looked = Some(wall);
            let row = self.wallet_row(&merchant.account, (row.id, row.version), &wallet, None).await?;
            drop(mirror.reflect(vec![row]).await?);
        }
        Ok(Round { done, next: mirror.next_reflection(&kind).await? })
    }
}

impl Wallet {
    fn of(namespace: &str, openid: &str) -> Self {
        Self { namespace: namespace.to_owned(), openid: openid.to_owned(), looked: None }
    }

    /// As it is kept; nothing of whoever was erased.
    fn opened(body: &seal::Sealed) -> Result<Option<Self>> {
        match seal::open(body) {
            Err(StoreError::Erased) => Ok(None),
            body => Ok(Some(serde_json::from_str(&body?).map_err(|error| damaged(&error))?)),
        }
    }
}

fn damaged(error: &serde_json::Error) -> StoreError {
    StoreError::Damaged(format!("a card pack: {error}"))
}
