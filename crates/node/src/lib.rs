//! the serving path: admit, reserve, run, sign, settle
