"""What is free of the domain: money, months, workbooks, errors, sectors, audit, jobs."""
