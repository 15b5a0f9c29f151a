//! (map of the folder)
