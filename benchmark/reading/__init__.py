"""What users bring, read as codes and factors: files of many kinds, and arrays in memory."""
