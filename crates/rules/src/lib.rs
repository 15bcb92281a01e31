//! Rules as code: what a rule book says about a case, computed and explained.
//!
//! An expression stands on facts that may be unknown, on parameters whose values have dates, and on other expressions. It is
//! evaluated in three values (true, false, unknown: Kleene's strong logic), with exact decimals, and every result says how it
//! came about. No I/O, no clock: the day is given.
//!
//! | module | what |
//! |---|---|
//! | [`value`] | values and their types |
//! | [`expression`] | the expression language: read, check, evaluate, tell |
//! | [`book`] | parameters with dates, rules and amounts that belong together |
//! | [`assessment`] | what a book says about a case, with reasons |
//! | [`compiled`] | a book made ready for many cases |
//! | [`counterfactual`] | the fewest facts whose change makes all rules met |
//! | [`asking`] | which question decides soonest |

pub mod asking;
pub mod assessment;
pub mod book;
pub mod compiled;
pub mod counterfactual;
pub mod expression;
pub mod value;

pub use assessment::{Assessment, Outcome};
pub use book::{Amount, Book, Domain, Facts, Parameter, Rule};
pub use expression::{Expression, Fault};
pub use value::{Type, Value};
