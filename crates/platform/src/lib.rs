//! 底座: what every product stands on.
//!
//! | module | what |
//! |---|---|
//! | [`catalogue`] | all capabilities, behind the one gate that every door goes through |
//! | [`identity`] | who is who, and who may do what |
//! | [`audit`] | the append-only, hash-chained log of calls and changes |
//! | [`answer`] | an answer with its evidence, as every door gives it |
//! | [`safety`] | what guards every question, document and model output |
//! | [`sessions`] | conversations, kept for who had them |
//! | [`trace`] | how an answer came about, step by step |
//! | [`events`] | what happened is handled: once in effect, in order per subject |
//! | [`models`] | the models that products may use at the moment |
//! | [`notices`] | what the staff should know of, made from events |
//! | [`jobs`] | long work: queued with its cause, resumed after a crash, at certain times |
//! | [`capabilities`] | what the outside can do with conversations and traces |
//! | [`changes`] | tells whoever waits that this process has written |
//! | [`measures`] | what is measured while the product runs |

pub mod answer;
pub mod audit;
pub mod capabilities;
pub mod catalogue;
pub mod changes;
pub mod events;
pub mod identity;
pub mod jobs;
pub mod measures;
pub mod models;
pub mod notices;
pub mod safety;
pub mod sessions;
pub mod trace;
