/// The type of the money that the Atoma package takes, as Circle's package `usdc` declares it on Sui.
/// Declared here to compile without a network; never published.
module usdc::usdc;

/// One unit is a millionth of a dollar.
public struct USDC has drop {}
