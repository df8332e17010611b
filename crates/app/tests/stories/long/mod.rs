//! Stories that take minutes: left out of the everyday loop, run by `./check`.
