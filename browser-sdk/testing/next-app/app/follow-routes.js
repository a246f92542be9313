'use client'

import { followNextRouter } from '@hotspan/browser/routers'
import { useParams, usePathname } from 'next/navigation'
import { useEffect } from 'react'

export function FollowRoutes() {
  const [path, parameters] = [usePathname(), useParams()]
  useEffect(() => {
    followNextRouter(path, parameters)
  }, [path, parameters])
  return null
}
