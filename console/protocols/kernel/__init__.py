"""What every protocol stands on: secrets, aborts, wire, transcript, party, session and channels."""
