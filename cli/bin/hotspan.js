#!/usr/bin/env node
// A file of its own, so that npm finds and links it before the first build and a rebuild leaves its mode alone.
import '../dist/main.js'
