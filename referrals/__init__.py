"""Between a project and an institution: referrals, their moves, deals, disbursements, returns."""
