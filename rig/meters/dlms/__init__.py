"""DLMS/COSEM: the HDLC and wrapper links are ours, the application layer is gurux-dlms (the optional extra `dlms`)."""
