//! The real retailer's year: the `completejourney` data set as Parquet files, replayed as events.
//!
//! Household → member; basket → `Order Completed`; coupon redemption → `Coupon Redeemed` at its date 00:00;
//! campaign target → `Campaign Targeted` at the campaign's start date 00:00; demographics → `identify` with the
//! household's first event. Times carry no zone and are taken as UTC. Order: (time, basket id).

use std::collections::BTreeMap;
use std::path::Path;

use zhiyin_model::time::Ts;

use super::Given;
use super::parquet::Columns;
use super::tables::{Items, Lines, Product, Redemption, Tables, Target};

/// Source of its items.
pub const SOURCE: &str = "completejourney";
/// Namespace of its households.
pub const NAMESPACE: &str = "household";

/// Demographic columns and the attributes they become: `age` is a name of the condition language.
const PEOPLE: [(&str, &str); 7] = [
    ("age", "age_range"),
    ("income", "income"),
    ("home_ownership", "home_ownership"),
    ("marital_status", "marital_status"),
    ("household_size", "household_size"),
    ("household_comp", "household_comp"),
    ("kids_count", "kids_count"),
];

/// Items of the data set in `dir`, from item `skip` on, at most `limit` in all.
pub fn items(
    dir: &Path,
    skip: u64,
    limit: Option<u64>,
) -> Result<Box<dyn Iterator<Item = Given> + Send>, String> {
    Ok(until(Items::new(read(dir)?, skip), skip, limit))
}

/// How many items there are, and when the last happens.
pub(super) fn until(items: Items, skip: u64, limit: Option<u64>) -> Box<dyn Iterator<Item = Given> + Send> {
    match limit {
        None => Box::new(items),
        Some(limit) => {
            Box::new(items.take(usize::try_from(limit.saturating_sub(skip)).unwrap_or(usize::MAX)))
        }
    }
}

fn read(dir: &Path) -> Result<Tables, String> {
    let id = |value: i64| u32::try_from(value).ok();
    let transactions = Columns::open(dir, "transactions.parquet")?;
    let lines = Lines {
        household: transactions.numbers("household_id", id)?,
        store: transactions.numbers("store_id", id)?,
        basket: transactions.numbers("basket_id", Some)?,
        product: transactions.numbers("product_id", id)?,
        quantity: transactions.numbers("quantity", id)?,
        cents: transactions.cents("sales_value")?,
        time: transactions.times("transaction_timestamp")?,
    };
    let products = Columns::open(dir, "products.parquet")?;
    let departments = products.texts("department")?;
    let categories = products.texts("product_category")?;
    let products = products
        .numbers("product_id", id)?
        .into_iter()
        .zip(departments.into_iter().zip(categories))
        .map(|(id, (department, category))| (id, Product { department, category }))
        .collect();
    Ok(Tables {
        lines,
        products,
        people: people(dir)?,
        targets: targets(dir)?,
        redemptions: redemptions(dir)?,
    })
}

type People = Vec<(u32, Vec<(&'static str, String)>)>;

fn people(dir: &Path) -> Result<People, String> {
    let demographics = Columns::open(dir, "demographics.parquet")?;
    let households = demographics.numbers("household_id", |value| u32::try_from(value).ok())?;
    let mut people: People = households.into_iter().map(|household| (household, Vec::new())).collect();
    for (column, attribute) in PEOPLE {
        for (person, value) in people.iter_mut().zip(demographics.texts(column)?) {
            if let Some(value) = value {
                person.1.push((attribute, value));
            }
        }
    }
    Ok(people)
}

fn targets(dir: &Path) -> Result<Vec<Target>, String> {
    let descriptions = Columns::open(dir, "campaign_descriptions.parquet")?;
    let kinds = descriptions.texts("campaign_type")?;
    let starts: BTreeMap<i64, (Ts, String)> = descriptions
        .numbers("campaign_id", Some)?
        .into_iter()
        .zip(descriptions.times("start_date")?.into_iter().zip(kinds))
        .map(|(id, (start, kind))| (id, (start, kind.unwrap_or_default())))
        .collect();
    let campaigns = Columns::open(dir, "campaigns.parquet")?;
    let ids = campaigns.numbers("campaign_id", Some)?;
    let households = campaigns.numbers("household_id", |value| u32::try_from(value).ok())?;
    ids.into_iter()
        .zip(households)
        .map(|(campaign, household)| {
            let (start, kind) = starts
                .get(&campaign)
                .ok_or_else(|| format!("campaigns.parquet: campaign {campaign} has no description"))?;
            Ok(Target { campaign, household, start: *start, kind: kind.clone() })
        })
        .collect()
}

fn redemptions(dir: &Path) -> Result<Vec<Redemption>, String> {
    let table = Columns::open(dir, "coupon_redemptions.parquet")?;
    let households = table.numbers("household_id", |value| u32::try_from(value).ok())?;
    let coupons = table.numbers("coupon_upc", Some)?;
    let campaigns = table.numbers("campaign_id", Some)?;
    let dates = table.times("redemption_date")?;
    Ok(households
        .into_iter()
        .zip(coupons)
        .zip(campaigns.into_iter().zip(dates))
        .map(|((household, coupon), (campaign, date))| Redemption { household, coupon, campaign, date })
        .collect())
}
