"""Trading on daily prices: prices in, parameters with their evidence out, and nothing known of the future."""
