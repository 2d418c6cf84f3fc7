"""`rig doctor`: looks at a bench and at the machine that controls it, and says what to do. Changes nothing."""
