//! Where rows of history come from in a block: orders, their items, or events of a name.

use zhiyin_condition::program::{Field, Source};

use crate::block::Block;
use crate::coded::Coded;
use crate::history::{Events, Orders, Rows};

/// Where rows come from in a block.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Table<'b> {
    Orders(&'b Orders),
    Items(&'b Orders),
    Events(&'b std::sync::Arc<str>, &'b Events),
}

impl<'b> Table<'b> {
    /// The rows of a source; `None` where the block has none at all.
    pub(crate) fn of(block: &'b Block, source: &Source) -> Option<Self> {
        match source {
            Source::Orders => Some(Self::Orders(&block.orders)),
            Source::Items => Some(Self::Items(&block.orders)),
            Source::Events(name) => {
                let (name, events) = block.events.get_key_value(&**name)?;
                Some(Self::Events(name, events))
            }
        }
    }

    pub(crate) const fn rows(self) -> &'b Rows {
        match self {
            Self::Orders(orders) | Self::Items(orders) => &orders.rows,
            Self::Events(_, events) => &events.rows,
        }
    }

    /// Whether a member has more rows than are kept of anybody for a window of hours.
    pub(crate) fn is_crowded(self, member: usize) -> bool {
        let starts: &[u32] = match self {
            Self::Items(orders) => &orders.item_starts,
            _ => &self.rows().starts,
        };
        (starts[member + 1] - starts[member]) as usize > zhiyin_condition::bounds::KEPT_ROWS_MAX
    }

    pub(crate) fn coded(self, field: &Field) -> Option<(&'b Coded, bool)> {
        match (self, field) {
            (_, Field::Store) => Some((&self.rows().store, false)),
            (_, Field::Channel) => Some((&self.rows().channel, false)),
            (Self::Items(orders), Field::Product) => Some((&orders.product, true)),
            (Self::Items(orders), Field::Category) => Some((&orders.category, true)),
            (Self::Items(orders), Field::Department) => Some((&orders.department, true)),
            (Self::Events(_, events), Field::Property(name)) => {
                events.properties.get(&**name).map(|column| (column, false))
            }
            _ => None,
        }
    }
}
