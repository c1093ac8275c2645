"""Values shown as what they are: pictures, tables, curves, text, whole and by part."""
