"""The faces of the twin's oscilloscopes: a file for each family; `acquisition` and `scope_face` are what they share."""
