//! 智答: the government service assistant.
//!
//! | module | what |
//! |---|---|
//! | [`assistant`] | understand → retrieve → compose → check → stream |
//! | [`bases`] | the passages that statements stand on, found in the documents |
//! | [`cases`] | applications that were handed in |
//! | [`conversing`] | a message of a conversation: a question, a step of a guided dialogue, or the wish to begin one |
//! | [`evidence`] | the passages that a question is answered from, read back from the store |
//! | [`extract`] | which sentences answer |
//! | [`feedback`] | what people say of answers |
//! | [`guide`] | guided dialogues: from a wish to a handed-in form |
//! | [`grading`] | golden questions, graded, with every run kept |
//! | [`guarding`] | what the safety check does with a question and with what a model says |
//! | [`learning`] | confirmed questions, what was trained from them, and which version is ranked by |
//! | [`intents`] | what a citizen wants: which item, or something else |
//! | [`items`] | service items as data |
//! | [`phrase`] | with a chat model: its sentences, held against the evidence |
//! | [`points`] | conditions, amounts, materials, channels and deadlines in the evidence |
//! | [`refusal`] | when nothing supports an answer, and where to ask then |
//! | [`support`] | 惠企政策: what businesses are entitled to |

pub mod assistant;
pub mod bases;
pub mod cases;
pub mod conversing;
pub mod evidence;
pub mod extract;
pub mod feedback;
pub mod grading;
pub mod guarding;
pub mod guide;
pub mod intents;
pub mod items;

pub mod learning;
pub mod phrase;
pub mod points;
pub mod refusal;
pub mod support;

pub use assistant::Assistant;
