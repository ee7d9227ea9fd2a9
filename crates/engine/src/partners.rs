//! Partners in numbers (C5): whom they brought, what those bought since, whom we sent.

use zhiyin_model::time::Day;
use zhiyin_store::partner::PartnerSums;

use crate::boxed;
use crate::reports::Table;
use crate::{Engine, EngineError, Result, clock};

impl Engine {
    /// One line a partner, as of the end of a day, or of now: those of the playbook, and those of whom something is kept.
    #[boxed]
    pub async fn partners(&self, day: Option<Day>) -> Result<Table> {
        self.drain(1024, None, |_| ()).await?;
        self.partners_decided(day).await
    }

    /// The same of what is decided already.
    pub(crate) async fn partners_decided(&self, day: Option<Day>) -> Result<Table> {
        let live = self.live()?;
        let now = clock::now(&self.home().await?);
        let zone = &live.rules.zone;
        if let Some(day) = day.filter(|day| *day > zone.day(now)) {
            return Err(EngineError::AsOfFuture(day.to_string(), now.rfc3339()));
        }
        let at = day.map_or(now, |day| zone.end(day));
        let mut sums = self.store().partner_sums(at).await?;
        for code in live.playbook.partners.keys() {
            sums.entry(code.clone()).or_default();
        }
        let rows = sums.iter().map(|(code, sums)| {
            let name = live
                .playbook
                .partners
                .get(code)
                .and_then(|partner| partner.name.en.clone().or_else(|| partner.name.zh.clone()));
            let PartnerSums { brought_new, brought_known, buyers, orders, paid, sent, sent_times, redeemed } =
                sums;
            let numbers = [brought_new, brought_known, buyers, orders, paid, sent, sent_times, redeemed];
            [code.clone(), name.unwrap_or_default()]
                .into_iter()
                .chain(numbers.map(|n| n.to_string()))
                .collect()
        });
        let rows = rows.collect();
        let columns = [
            "partner",
            "name",
            "brought_new",
            "brought_known",
            "buyers",
            "orders",
            "paid_cents",
            "sent",
            "sent_times",
            "redeemed",
        ];
        Ok(Table {
            columns: columns.map(str::to_owned).to_vec(),
            rows,
            as_of: at,
            past: day.is_some(),
            cut: None,
        })
    }
}
