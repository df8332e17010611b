//! Stories of people in front of the pages: a real browser, the real program,
//! real mail servers. One program, so that it is linked once.

mod administering;
mod bulk;
mod emails;
mod every_page;
mod filing;
mod first_run;
mod help_page;
mod lighthouse;
mod lists;
mod lively;
mod mailbox;
mod profiles;
mod security;
mod shots;
mod signing_in;
mod watching;
mod work;
mod world;
mod writing;
