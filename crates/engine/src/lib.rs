//! inference engines behind one trait
