"""8. What is read afterwards: an incident told to its end, monitors that make noise, tables for a spreadsheet."""
