"""What tasks returned: records and values, encoded and decoded."""
