package rollout

// ZoneNames are the time zones that windows may have.
var ZoneNames = zoneNames
