// A Health Bot, where one is wanted beside. It has no part in the nightly run, is
// given no role here and sees no data of it. It offers no diagnostic settings.

import { Tags } from 'types.bicep'

@description('Region.')
param location string

@description('Tags of every resource.')
param tags Tags

@description('Name of the bot.')
@minLength(2)
@maxLength(64)
param name string

@description('Price: F0 is free and for trials.')
param sku 'F0' | 'C0' | 'C1' | 'PES' | 'S1'

resource bot 'Microsoft.HealthBot/healthBots@2025-05-25' = {
  name: name
  location: location
  tags: tags
  sku: { name: sku }
}

@description('Resource id.')
output id string = bot.id
