"""The twin's meter as a DLMS/COSEM server of its own: objects, services, HDLC. Nothing here uses gurux-dlms."""
