"""The faces of the twin's supplies: a file for each family; `scpi_supply` is what those with SCPI share."""
