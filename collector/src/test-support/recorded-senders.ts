/**
 * Bodies as three SDKs sent them to `/v1/traces`, recorded with an HTTP server that kept them: each program made a server span with a failed status,
 * attributes of every kind and a recorded exception, and a client span below it with a link. JavaScript and the Collector's own
 * Go code send live in `grpc.test.ts`.
 */
export const recordedSenders = {
  /** otlptracehttp 1.36.0 */
  go: [
    'CvEECjcKGQoMc2VydmljZS5uYW1lEgkKB3Nob3AtZ28KGgoPc2VydmljZS52ZXJzaW9uEgcKBTEuMC4wErUECg8KBnNlbmRl',
    'chIFMC4xLjAS3gEKEKvg01Bk+/wCWZy5MW8uUUkSCMepufpT60/KIgjHFEoJ30mmMioPU0VMRUNUIHByb2R1Y3RzMAM54kEw',
    '3aUj6hhBmcNS3aUj6hhKHgoOZGIuc3lzdGVtLm5hbWUSDAoKcG9zdGdyZXNxbEo3Cg1kYi5xdWVyeS50ZXh0EiYKJFNFTEVD',
    'VCAqIEZST00gcHJvZHVjdHMgV0hFUkUgaWQgPSAkMWowChCr4NNQZPv8AlmcuTFvLlFJEgjHFEoJ30mmMiINCgN3aHkSBgoE',
    'dGVzdDUAAQAAegCFAQABAAASwAIKEKvg01Bk+/wCWZy5MW8uUUkSCMcUSgnfSaYyKhFHRVQgL3Byb2R1Y3RzLzppZDACOYkd',
    'MN2lI+oYQUw7U92lI+oYSh0KCmh0dHAucm91dGUSDwoNL3Byb2R1Y3RzLzppZEogChlodHRwLnJlc3BvbnNlLnN0YXR1c19j',
    'b2RlEgMY9ANKFAoEdGFncxIMKgoKAwoBYQoDCgFiSgwKBmNhY2hlZBICEAFKEgoFcmF0aW8SCSEAAAAAAADQP1puCb8yU92l',
    'I+oYEglleGNlcHRpb24aJwoOZXhjZXB0aW9uLnR5cGUSFQoTKmVycm9ycy5lcnJvclN0cmluZxovChFleGNlcHRpb24ubWVz',
    'c2FnZRIaChhubyBzdG9jayDigJMgYXVzdmVya2F1ZnR6DBIIbm8gc3RvY2sYAoUBAAEAAA==',
  ].join(''),
  /** opentelemetry-exporter-otlp 1.50.0 */
  java: [
    'CuMGCqUBChsKDHNlcnZpY2UubmFtZRILCglzaG9wLWphdmEKGgoPc2VydmljZS52ZXJzaW9uEgcKBTEuMC4wCiAKFnRlbGVt',
    'ZXRyeS5zZGsubGFuZ3VhZ2USBgoEamF2YQolChJ0ZWxlbWV0cnkuc2RrLm5hbWUSDwoNb3BlbnRlbGVtZXRyeQohChV0ZWxl',
    'bWV0cnkuc2RrLnZlcnNpb24SCAoGMS41MC4wErgFCg8KBnNlbmRlchIFMC4xLjAS3gEKEJwBgsM238e6isxqJLKF1wASCM48',
    'BTYCQDIXIghv2dMUSl/1PioPU0VMRUNUIHByb2R1Y3RzMAM5LwMRfaUj6hhBV8MxfaUj6hhKNwoNZGIucXVlcnkudGV4dBIm',
    'CiRTRUxFQ1QgKiBGUk9NIHByb2R1Y3RzIFdIRVJFIGlkID0gJDFKHgoOZGIuc3lzdGVtLm5hbWUSDAoKcG9zdGdyZXNxbGow',
    'ChCcAYLDNt/HuorMaiSyhdcAEghv2dMUSl/1PiINCgN3aHkSBgoEdGVzdDUBAQAAegCFAQEBAAASwwMKEJwBgsM238e6isxq',
    'JLKF1wASCG/Z0xRKX/U+KhFHRVQgL3Byb2R1Y3RzLzppZDACOfjW/nylI+oYQTiLUX2lI+oYShIKBXJhdGlvEgkhAAAAAAAA',
    '0D9KDAoGY2FjaGVkEgIQAUogChlodHRwLnJlc3BvbnNlLnN0YXR1c19jb2RlEgMY9ANKFAoEdGFncxIMKgoKAwoBYQoDCgFi',
    'Sh0KCmh0dHAucm91dGUSDwoNL3Byb2R1Y3RzLzppZFrwAQmBtEl9pSPqGBIJZXhjZXB0aW9uGnQKFGV4Y2VwdGlvbi5zdGFj',
    'a3RyYWNlElwKWmphdmEubGFuZy5JbGxlZ2FsU3RhdGVFeGNlcHRpb246IG5vIHN0b2NrIOKAkyBhdXN2ZXJrYXVmdAoJYXQg',
    'U2VuZGVyLm1haW4oU2VuZGVyLmphdmE6MjMpChovChFleGNlcHRpb24ubWVzc2FnZRIaChhubyBzdG9jayDigJMgYXVzdmVy',
    'a2F1ZnQaMwoOZXhjZXB0aW9uLnR5cGUSIQofamF2YS5sYW5nLklsbGVnYWxTdGF0ZUV4Y2VwdGlvbnoMEghubyBzdG9jaxgC',
    'hQEBAQAA',
  ].join(''),
  /** opentelemetry-exporter-otlp-proto-http 1.45.2 */
  python: [
    'CvYGCuQBCiIKFnRlbGVtZXRyeS5zZGsubGFuZ3VhZ2USCAoGcHl0aG9uCiUKEnRlbGVtZXRyeS5zZGsubmFtZRIPCg1vcGVu',
    'dGVsZW1ldHJ5CiEKFXRlbGVtZXRyeS5zZGsudmVyc2lvbhIICgYxLjQ1LjIKPQoTc2VydmljZS5pbnN0YW5jZS5pZBImCiQ2',
    'ZGQzMjcxNS1lNmYwLTRiMWUtOTM0Yi0yNzVmOTVmYjRkZWQKGQoMc2VydmljZS5uYW1lEgkKB3Nob3AtcHkKGgoPc2Vydmlj',
    'ZS52ZXJzaW9uEgcKBTEuMC4wEowFCg8KBnNlbmRlchIFMC4xLjAS3gEKECDQVVtiDcQEaDS28KNkqPISCNu8EnnnJBKiIghK',
    'yI60WbxRQioPU0VMRUNUIHByb2R1Y3RzMAM5as2euaMj6hhBGx2fuaMj6hhKHgoOZGIuc3lzdGVtLm5hbWUSDAoKcG9zdGdy',
    'ZXNxbEo3Cg1kYi5xdWVyeS50ZXh0EiYKJFNFTEVDVCAqIEZST00gcHJvZHVjdHMgV0hFUkUgaWQgPSAkMWowChAg0FVbYg3E',
    'BGg0tvCjZKjyEghKyI60WbxRQiINCgN3aHkSBgoEdGVzdDUAAQAAegCFAQABAAASlwMKECDQVVtiDcQEaDS28KNkqPISCErI',
    'jrRZvFFCKhFHRVQgL3Byb2R1Y3RzLzppZDACOTupnbmjI+oYQRsbobmjI+oYSh0KCmh0dHAucm91dGUSDwoNL3Byb2R1Y3Rz',
    'LzppZEogChlodHRwLnJlc3BvbnNlLnN0YXR1c19jb2RlEgMY9ANKFAoEdGFncxIMKgoKAwoBYQoDCgFiSgwKBmNhY2hlZBIC',
    'EAFKEgoFcmF0aW8SCSEAAAAAAADQP1rEAQmG1KC5oyPqGBIJZXhjZXB0aW9uGh4KDmV4Y2VwdGlvbi50eXBlEgwKClZhbHVl',
    'RXJyb3IaLwoRZXhjZXB0aW9uLm1lc3NhZ2USGgoYbm8gc3RvY2sg4oCTIGF1c3ZlcmthdWZ0Gj8KFGV4Y2VwdGlvbi5zdGFj',
    'a3RyYWNlEicKJVZhbHVlRXJyb3I6IG5vIHN0b2NrIOKAkyBhdXN2ZXJrYXVmdAoaHAoRZXhjZXB0aW9uLmVzY2FwZWQSBwoF',
    'RmFsc2V6DBIIbm8gc3RvY2sYAoUBAAEAAA==',
  ].join(''),
} as const

/**
 * A body as Go code of the OpenTelemetry Collector (pdata/pprofile 0.157.0) writes it for `/v1development/profiles`: CPU time and number of samples of
 * one service in two profiles. 180 ms of them are on a route, 310 ms are linked to a span and recursive, 10 ms are in a frame without
 * a name.
 */
export const recordedProfiles = [
  'EpsDOgA6BQoDAwIBOgcKBQQEBAIBOgQKAgUBMgISADIPEgsKCS9wcm9kdWN0cwgLKgAqEy91c3IvbG9jYWwvYmluL3Nob3AqCW1h',
  'aW4ubWFpbioHbWFpbi5nbyoTbWFpbi5oYW5kbGVQcm9kdWN0cyoLcHJvZHVjdHMuZ28qC21haW4ucmVuZGVyKgtmbXQuU3ByaW50',
  'ZioMZm10L3ByaW50LmdvKhRtYWluLmZpYiDigJMgbGFuZ3NhbSoGZmliLmdvKgpodHRwLnJvdXRlKgNjcHUqC25hbm9zZWNvbmRz',
  'KgdzYW1wbGVzKgVjb3VudCIEEgAKACIcEgixAQIDBAUGBwoQoQECAwQFBgcICQoLDA0ODxoAGgYgCxgDCAIaBiAUGAUIBBoGIEcY',
  'BQgGGgcg7QEYCAgHGgYgBRgKCAkSABINGgQQHggBEKCggAIIARINGgQQGQgCELCggAIIARIUGgUQ8AEIBBoEEFAIAxDAoIACCAES',
  'DRoEEAcIBRDQoIACCAESBxDgoIACCAEKAAoMIAEQgICABAiAgIACCsEFGidodHRwczovL29wZW50ZWxlbWV0cnkuaW8vc2NoZW1h',
  'cy8xLjQwLjASyAQSXEADOhDBAAIDBAUGBwgJCgsMDQ4PMICt4gQqBBANCAwggMivoCUZAMCEdM3f6RgSDyIIgO+5NIC7sCESAQEI',
  'ARILIgWA8+iTARgBCAISCCIEgK3iBAgDCgQQDQgMEtYDQAM6EMEBAgMEBQYHCAkKCwwNDg8qACCAyK+gJRkAwIR0zd/pGBKYASqQ',
  'AQDAhHTN3+kYgFYddc3f6RgA7bV1zd/pGICDTnbN3+kYABrnds3f6RiAsH93zd/pGABHGHjN3+kYgN2weM3f6RgAdEl5zd/pGIAK',
  '4nnN3+kYAKF6es3f6RiANxN7zd/pGADOq3vN3+kYgGREfM3f6RgA+9x8zd/pGICRdX3N3+kYACgOfs3f6RiAvqZ+zd/pGBIBAQgB',
  'Ev8BKvgBAFU/f83f6RiA69d/zd/pGACCcIDN3+kYgBgJgc3f6RgAr6GBzd/pGIBFOoLN3+kYANzSgs3f6RiAcmuDzd/pGAAJBITN',
  '3+kYgJ+chM3f6RgANjWFzd/pGIDMzYXN3+kYAGNmhs3f6RiA+f6Gzd/pGACQl4fN3+kYgCYwiM3f6RgAvciIzd/pGIBTYYnN3+kY',
  'AOr5ic3f6RiAgJKKzd/pGAAXK4vN3+kYgK3Di83f6RgARFyMzd/pGIDa9IzN3+kYAHGNjc3f6RiAByaOzd/pGACevo7N3+kYgDRX',
  'j83f6RgAy++Pzd/pGIBhiJDN3+kYAPggkc3f6RgYAQgCEgwqCICOuZHN3+kYCAMKBBAPCA4KDxIFMC4xLjAKBnNlbmRlcgpLChkS',
  'CQoHc2hvcC1nbwoMc2VydmljZS5uYW1lChoSBwoFMS4wLjAKD3NlcnZpY2UudmVyc2lvbgoSEgMY5yQKC3Byb2Nlc3MucGlk',
].join('')
