//! 惠企政策: what businesses are entitled to. The format of a policy is in `docs/guide/support.md`.
//!
//! | module | what |
//! |---|---|
//! | [`profile`] | what is known of a business: one table of fields for the form, the reading and the rules |
//! | [`schema`] | the keys of a policy file |
//! | [`reading`] | from YAML to a policy that makes sense, or findings with line and column |
//! | [`catalogue`] | the policies of a city |
//! | [`matching`] | which policies a business meets, nearly meets, or may meet |
//! | [`businesses`] | the registered businesses with their profiles |
//! | [`register`] | businesses from tables |
//! | [`synthetic`] | businesses and policies made up from a seed, for demonstration and measurement |
//! | [`desk`] | what people ask of all these |
//! | [`view`] | what they ask, and what they are told |
//! | [`capabilities`] | what the outside can do with them |

pub mod businesses;
pub mod capabilities;
pub mod catalogue;
pub mod desk;
pub mod matching;
pub mod profile;
pub mod reading;
pub mod register;
pub mod schema;
pub mod synthetic;
pub mod view;

pub use businesses::Businesses;
pub use catalogue::Policies;
pub use desk::SupportDesk;
pub use schema::Policy;
