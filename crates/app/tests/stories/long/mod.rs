//! Stories that take minutes: left out of the everyday loop, run by `./check`.

mod corpus;
mod crash;
mod large;
mod outage;
