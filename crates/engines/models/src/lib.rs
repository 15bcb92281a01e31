//! Models inside the process and behind endpoints.
