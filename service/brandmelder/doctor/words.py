"""What the doctor says, in German and English: what is so, and what to do. Names in braces come with the finding."""

from __future__ import annotations

from brandmelder.doctor.finding import Finding, Level

HEADS = {
    "de": {Level.WELL: "gut", Level.NOTE: "Hinweis", Level.WARNING: "Warnung", Level.BAD: "SCHLECHT"},
    "en": {Level.WELL: "well", Level.NOTE: "note", Level.WARNING: "warning", Level.BAD: "BAD"},
}
VERDICTS = {
    "de": {
        Level.WELL: "Alles in Ordnung.",
        Level.NOTE: "In Ordnung; einiges ginge besser.",
        Level.WARNING: "Es läuft, braucht aber bald jemanden.",
        Level.BAD: "Etwas funktioniert nicht: Alarme könnten ausbleiben.",
    },
    "en": {
        Level.WELL: "All is well.",
        Level.NOTE: "Well; some things could be better.",
        Level.WARNING: "It runs, and will need somebody soon.",
        Level.BAD: "Something does not work: alerts may not arrive.",
    },
}
_TEXT = """
configuration
  de: Konfiguration {file}: Quellen {sources}, Monitore {monitors}, Kanäle {channels}
  en: configuration {file}: sources {sources}, monitors {monitors}, channels {channels}
configuration.warning
  de: {text} -> brandmelder check zeigt die Stelle
  en: {text} -> brandmelder check shows the place
versions
  de: Brandmelder {ours}, Python {python}, SQLite {sqlite}, expat {expat}
  en: Brandmelder {ours}, Python {python}, SQLite {sqlite}, expat {expat}
versions.expat
  de: expat {expat} hat bekannte Schwächen (gut ab 2.7.2) -> Python oder das Betriebssystem aktualisieren; bis
      dahin hält der begrenzte Parser-Prozess stand
  en: expat {expat} has known weaknesses (good from 2.7.2 on) -> upgrade Python or the operating system; until
      then the limited parser process stands in between
database
  de: Datenbank {file}: unversehrt, Schema {revision}, {size} MB
  en: database {file}: sound, schema {revision}, {size} MB
database.trouble
  de: Datenbank: {text} -> den Satz befolgen; hilft das nicht, die letzte Sicherung einspielen
  en: database: {text} -> do what it says; if that does not help, restore the last backup
database.corrupt
  de: Datenbank {file} ist beschädigt: {text} -> Dienst anhalten, Datei aufheben, letzte Sicherung einspielen,
      danach brandmelder recount
  en: database {file} is damaged: {text} -> stop the service, keep the file, restore the last backup, then
      brandmelder recount
database.unreadable
  de: Zeilen der Datenbank, die niemand lesen kann und die übergangen werden ({count}): {text}
      -> nach einem Rückschritt der Version wieder die neuere einspielen; sonst docs/how-to/backup.md
  en: rows of the database that nobody can read, and that are passed over ({count}): {text}
      -> after a step back to an older version bring the newer one back; else docs/how-to/backup.md
doctor.stumbled
  de: eine Prüfung kam nicht zu Ende: {error} -> bitte melden; die anderen wurden gemacht
  en: one check did not come to its end: {error} -> please report it; the others were made
database.open
  de: andere Benutzer können {file} lesen -> chmod 600 {file}
  en: other users can read {file} -> chmod 600 {file}
key.missing
  de: der Schlüssel der Pseudonyme ({file}) fehlt -> aus der Sicherung zurückholen; ein neuer macht aus jedem
      bekannten Konto ein fremdes
  en: the key of the pseudonyms ({file}) is missing -> bring it back from the backup; a new one makes a
      stranger of every known account
key
  de: der Schlüssel der Pseudonyme ist da -> getrennt von der Datenbank sichern
  en: the key of the pseudonyms is there -> back it up apart from the database
key.another
  de: der Schlüssel der Pseudonyme ist nicht der, mit dem {database} geschrieben wurde -> jenen aus der Sicherung
      zurückholen; ist er für immer verloren: brandmelder privacy new-key
  en: the key of the pseudonyms is not the one with which {database} was written -> bring that one back from the
      backup; if it is lost for good: brandmelder privacy new-key
disk
  de: {free} MB frei bei der Datenbank
  en: {free} MB free beside the database
disk.low
  de: nur {free} MB frei bei der Datenbank -> Platz schaffen; unter 200 MB kann das Schreiben stehen bleiben
  en: only {free} MB free beside the database -> make room; below 200 MB writing may stop
clock
  de: Uhr: {now} UTC
  en: clock: {now} UTC
clock.back
  de: die Uhr steht auf {now} UTC, der Dienst war schon bei {seen} -> Zeitabgleich (NTP) einrichten; bis die
      Uhr aufgeholt hat, wird nichts Neues ausgewertet
  en: the clock says {now} UTC, and the service has been at {seen} -> set up NTP; until the clock has caught
      up nothing new is evaluated
service
  de: der Dienst läuft, letzter Fortschritt vor {age} s
  en: the service runs, last progress {age} s ago
service.away
  de: der Dienst läuft nicht -> starten: brandmelder run, oder den Container
  en: the service does not run -> start it: brandmelder run, or the container
service.stuck
  de: der Dienst läuft, kommt aber seit {since} nicht voran -> sein Protokoll ansehen; sind Platte und Quellen
      in Ordnung, neu starten und melden
  en: the service runs and makes no progress since {since} -> look at its log; if disk and sources are well,
      restart it and report this
service.dumb
  de: der Dienst antwortet nicht auf {listen} -> hängt er, neu starten; gilt die Konfiguration des laufenden
      Dienstes?
  en: the service does not answer at {listen} -> if it is stuck, restart it; is this its configuration?
service.chain
  de: die Kette kommt nicht durch: {text}
  en: the chain does not get through: {text}
sources
  de: alle Quellen werden gelesen ({count})
  en: all sources are read ({count})
source.blind
  de: Quelle {source} ist blind seit {since}: {text} -> {where}
  en: source {source} is blind since {since}: {text} -> {where}
source.doubted
  de: Quelle {source} antwortet, aber: {text} -> dort nachsehen; stimmt es so: tell_silence: false bei {where}
  en: source {source} answers, but: {text} -> look there; if it is well: tell_silence: false at {where}
source.expiring
  de: Quelle {source}: {text} -> den Zugang erneuern: {where}
  en: source {source}: {text} -> renew the access: {where}
source.degraded
  de: Quelle {source} wird nicht ganz gelesen: {text} -> {where}
  en: source {source} is not read wholly: {text} -> {where}
source.never
  de: Quelle {source} konnte noch nie gelesen werden: {text} -> {where}
  en: source {source} could never be read: {text} -> {where}
source.unread
  de: Quelle {source} wurde noch nie gelesen -> den Dienst starten, oder brandmelder check --live
  en: source {source} was never read -> start the service, or brandmelder check --live
channel
  de: Kanal {channel}: zuletzt bestätigt {at}
  en: channel {channel}: last confirmed {at}
channel.untried
  de: Kanal {channel} hat noch nichts bestätigt -> brandmelder send-test --channel {channel}
  en: channel {channel} has confirmed nothing yet -> brandmelder send-test --channel {channel}
channel.trouble
  de: Kanal {channel}: {text} -> {where}
  en: channel {channel}: {text} -> {where}
channel.dead
  de: Kanal {channel} nahm etwas nicht an ({count}×): {text} -> Ursache beheben, dann brandmelder
      deliveries retry --all-dead
  en: channel {channel} did not take what was told ({count}×): {text} -> mend the cause, then brandmelder deliveries
      retry --all-dead
audit
  de: Prüfspur: {rows} Zeilen, unverändert
  en: audit: {rows} rows, unaltered
audit.broken
  de: Prüfspur: Zeile {row} wurde verändert, oder davor fehlt eine -> Datei und Sicherungen aufheben, die für
      den Datenschutz zuständige Person rufen
  en: audit: row {row} was altered, or one before it is missing -> keep the file and the backups, call whoever
      is responsible for data protection
retention.late
  de: Texte sind {days} Tage alt, behalten werden sollen sie {wanted} -> läuft der Dienst? Er vergisst
      stündlich
  en: texts are {days} days old, and are to be kept for {wanted} -> does the service run? It forgets hourly
backup
  de: jüngste Sicherung neben der Datenbank: {file}, {days} Tage alt
  en: newest backup beside the database: {file}, {days} days old
backup.old
  de: die jüngste Sicherung neben der Datenbank ({file}) ist {days} Tage alt
      -> brandmelder backup (docs/how-to/backup.md)
  en: the newest backup beside the database ({file}) is {days} days old
      -> brandmelder backup (docs/how-to/backup.md)
backup.none
  de: neben der Datenbank liegt keine Sicherung
      -> liegt keine anderswo: brandmelder backup (docs/how-to/backup.md)
  en: there is no backup beside the database
      -> if there is none elsewhere: brandmelder backup (docs/how-to/backup.md)
heartbeat.missing
  de: niemand außerhalb merkt, wenn diese Maschine ausfällt -> heartbeat einrichten: docs/how-to/heartbeat.md
  en: nobody outside notices when this machine fails -> set up heartbeat: docs/how-to/heartbeat.md
fallback.missing
  de: fällt {channel} aus, erfährt niemand von einem Alarm -> fallback eintragen: ein zweiter Kanal anderer
      Art
  en: when {channel} fails, nobody is told of an alert -> add a fallback: a second channel of another kind
escalation.missing
  de: niemand wird gerufen, wenn ein Alarm liegen bleibt -> escalation einrichten: docs/how-to/on-call.md
  en: nobody is called when an alert is left alone -> set up escalation: docs/how-to/on-call.md
"""
"""Each finding by its name; behind the arrow what to do."""


def _read(text: str) -> dict[str, dict[str, tuple[str, str]]]:
    words: dict[str, dict[str, tuple[str, str]]] = {}
    name = ""
    joined = text.strip().replace("\n      ", " ")
    for line in joined.split("\n"):
        if line.startswith("  "):
            tongue, _, said = line.strip().partition(": ")
            what, _, todo = said.partition(" -> ")
            words[name][tongue] = (what, todo)
        else:
            name = line
            words[name] = {}
    return words


WORDS = _read(_TEXT)


def said(finding: Finding, language: str) -> tuple[str, str]:
    """Return what is so, and what to do about it (empty if nothing)."""
    what, todo = WORDS[finding.name][language]
    return what.format(**finding.about), todo.format(**finding.about)
