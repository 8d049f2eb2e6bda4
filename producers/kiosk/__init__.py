"""The kiosk: a page that people tap on, and the gateway that keeps their taps and sends them on."""
