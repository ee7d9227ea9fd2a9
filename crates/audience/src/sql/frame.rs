//! What the variable of a macro stands for in SQL, and which arrays a function over a list is to go through.
//!
//! A list of rows is several arrays of one length. Whatever asks a field of a row has its array taken in as one more
//! parameter, so a function reads the columns that it needs and no others.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use zhiyin_condition::program::Node;

use super::said::Said;

/// Of what the elements of a list are.
#[derive(Clone, Debug)]
pub(super) enum Of {
    Orders,
    Items,
    Events,
    /// The items of one order of a list.
    OneOrder(Rc<Rows>),
    /// One array.
    Array(String),
}

/// A list that is gone through.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) of: Of,
    /// Tells its parameters from those of others.
    number: u32,
    /// Whether quantities are asked as finely as they come.
    fine: bool,
    asked: RefCell<BTreeSet<&'static str>>,
}

impl Rows {
    pub(super) fn new(of: Of, number: u32, fine: bool) -> Rc<Self> {
        Rc::new(Self { of, number, fine, asked: RefCell::default() })
    }

    /// The parameter that is a row's value of a column.
    pub(super) fn asked(&self, column: &'static str) -> String {
        self.asked.borrow_mut().insert(column);
        format!("{column}_{}", self.number)
    }

    /// The column that is read where no other is.
    pub(super) const fn shortest(&self) -> &'static str {
        match self.of {
            Of::Orders | Of::Items | Of::Events => "day",
            Of::OneOrder(_) => "paid",
            Of::Array(_) => "x",
        }
    }

    /// The array of a column.
    pub(super) fn array(&self, column: &str) -> String {
        match (&self.of, column) {
            (Of::Array(sql), _) => sql.clone(),
            // Which row it is, from 1.
            (_, "place") => format!("arrayEnumerate({})", self.array("day")),
            (Of::Items, "quantity") if self.fine => {
                "arrayResize(item_quantity_fine, length(item_quantity))".to_owned()
            }
            (Of::Orders, "item_quantity") if self.fine => "arrayMap((f, q) -> arrayResize(f, length(q)), \
                 arrayResize(order_item_quantity_fine, length(order_item_quantity)), order_item_quantity)"
                .to_owned(),
            (Of::Orders, _) => format!("order_{column}"),
            (Of::Items, _) => format!("item_{column}"),
            (Of::Events, _) => format!("event_{column}"),
            (Of::OneOrder(order), _) => order.asked(match column {
                "product" => "item_product",
                "category" => "item_category",
                "department" => "item_department",
                "quantity" => "item_quantity",
                _ => "item_paid",
            }),
        }
    }

    /// The parameters that some SQL asks for and their arrays, both with commas between: at least one of each.
    pub(super) fn parameters(&self, sql: &[&str]) -> (String, String) {
        let name = |column: &&str| format!("{column}_{}", self.number);
        let is_asked = |column: &&'static str| sql.iter().any(|sql| sql.contains(&name(column)));
        let mut asked: Vec<&str> = self.asked.borrow().iter().copied().filter(is_asked).collect();
        if asked.is_empty() {
            asked.push(self.shortest());
        }
        let names: Vec<String> = asked.iter().map(name).collect();
        let arrays: Vec<String> = asked.iter().map(|column| self.array(column)).collect();
        (names.join(", "), arrays.join(", "))
    }

    /// A function of these rows: `arrayCount((day_1) -> …, order_day)`.
    pub(super) fn over(&self, function: &str, body: &str) -> String {
        let (names, arrays) = self.parameters(&[body]);
        format!("{function}(({names}) -> {body}, {arrays})")
    }
}

/// What a variable stands for.
#[derive(Clone, Debug)]
pub(super) enum Elem<'c> {
    /// A row.
    Row(Rc<Rows>),
    /// A row of which what was asked early is an answer: the row, what it was then, and the questions.
    Kept(Rc<Rows>, Box<Elem<'c>>, &'c [Node]),
    /// A dependant.
    Dependant(Rc<Rows>),
    /// A value.
    Value(Said),
}

/// The element of a macro, and the macros around it.
pub(super) struct Frame<'f, 'c> {
    pub(super) element: Elem<'c>,
    pub(super) outer: Option<&'f Frame<'f, 'c>>,
}

impl<'f, 'c> Frame<'f, 'c> {
    pub(super) const fn around(element: Elem<'c>) -> Self {
        Self { element, outer: None }
    }

    pub(super) fn at(mut frame: &'f Self, depth: u8) -> Option<&'f Elem<'c>> {
        for _ in 0..depth {
            frame = frame.outer?;
        }
        Some(&frame.element)
    }
}
