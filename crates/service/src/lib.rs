//! 智答: the government service assistant.
//!
//! | module | what |
//! |---|---|
//! | [`assistant`] | understand → retrieve → compose → check → stream |
//! | [`evidence`] | the passages that a question is answered from, read back from the store |
//! | [`extract`] | which sentences answer |
//! | [`grading`] | golden questions, graded, with every run kept |
//! | [`intents`] | what a citizen wants: which item, or something else |
//! | [`phrase`] | with a chat model: its sentences, held against the evidence |
//! | [`points`] | conditions, amounts, materials, channels and deadlines in the evidence |
//! | [`refusal`] | when nothing supports an answer, and where to ask then |

pub mod assistant;
pub mod evidence;
pub mod extract;
pub mod grading;
pub mod intents;
pub mod phrase;
pub mod points;
pub mod refusal;

pub use assistant::Assistant;
