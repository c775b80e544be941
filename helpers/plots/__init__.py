"""Every figure of the series. Functions take arrays and an optional `ax`, and return the axes."""
